// Packages -> photographs -> tiles -> tar shards.
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <set>

#include "core/files.h"
#include "core/hash.h"
#include "data/photo_tiles.h"
#include "data/resize.h"
#include "data/tar.h"

extern char** environ;

namespace simmim {
namespace {

constexpr int64_t kFewestTrain = 100, kFewestVal = 10, kFewestTest = 25;

// Runs a program in `folder`, its output in log.txt there; Code::data with the last line of it if it fails.
void run_program(const std::vector<std::string>& words, const fs::path& folder) {
  const fs::path log = folder / "log.txt";
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addchdir_np(&actions, folder.c_str());
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0666);
  posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  pid_t child = 0;
  const int error = posix_spawnp(&child, words[0].c_str(), &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0)
    fail(Code::data, "photo_tiles: cannot run {}: {}; the tiles are made from Debian's packages", words[0],
         std::strerror(error));
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return;
  std::string said = fs::exists(log) ? read_file(log) : "";
  while (said.ends_with('\n')) said.pop_back();
  fail(Code::data, "photo_tiles: '{}' failed: {}; try apt-get update first", fmt::join(words, " "),
       said.substr(said.find_last_of('\n') + 1));
}

// A folder that goes away with its content.
struct WorkFolder {
  explicit WorkFolder(fs::path where) : path(std::move(where)) {
    fs::remove_all(path);
    make_folder(path);
  }
  ~WorkFolder() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
  fs::path path;
};

// The folder under which `photo` lies as in the recipe: the system, where its package is installed, or `unpacked`.
bool is_there(const fs::path& folder, const Photo& photo) {
  const fs::path path = folder / photo.path;
  return fs::exists(path) && hash_file_hex(path) == photo.hash;
}

void get_packages(const fs::path& unpacked, const FetchProgress& progress) {
  std::set<std::string> wanted;
  for (const Photo& photo : photo_recipe())
    if (!is_there("/", photo)) wanted.insert(photo.package);
  for (const std::string& package : wanted) {
    progress(fmt::format("downloading {}", package));
    const WorkFolder download(unpacked / "download");
    run_program({"apt-get", "download", package}, download.path);
    for (const auto& entry : fs::directory_iterator(download.path))
      if (entry.path().extension() == ".deb")
        run_program({"dpkg-deb", "-x", entry.path().string(), unpacked.string()}, download.path);
  }
}

Image read_photo(const Photo& photo, const fs::path& unpacked) {
  for (const fs::path& folder : {fs::path("/"), unpacked}) {
    if (!is_there(folder, photo)) continue;
    const Image full = decode_image_file(folder / photo.path);
    const int64_t shorter = std::min(full.h, full.w);
    return resize_image(full, full.h * kPhotoShortSide / shorter, full.w * kPhotoShortSide / shorter,
                        Interpolation::bicubic);
  }
  fail(Code::data, "photo_tiles: {} of {} is not the file that the recipe knows; Debian 12 has the right version",
       photo.path, photo.package);
}

}  // namespace

void fetch_photo_tiles(const fs::path& destination, const FetchProgress& progress) {
  if (fs::exists(destination / "train-000000.tar"))
    return progress(fmt::format("{} holds photo_tiles already", destination.string()));
  if (fs::exists(destination) && !fs::is_empty(destination))
    fail(Code::data, "{}: is not empty; choose another folder", destination.string());
  const WorkFolder work(fs::path(destination).concat(".tmp"));
  const fs::path unpacked = work.path / "packages", tiles = work.path / "tiles";
  make_folder(unpacked);
  make_folder(tiles);
  get_packages(unpacked, progress);

  std::array<std::vector<std::pair<int64_t, std::string>>, 3> images;  // (label, PNG) by split
  std::string names;
  int64_t label = 0;
  for (const Photo& photo : photo_recipe()) {
    progress(fmt::format("cutting {}", photo.name));
    const Image image = read_photo(photo, unpacked);
    std::array<std::vector<Image>, 3> cut;
    for (size_t split = 0; split < 3; ++split) cut[split] = cut_tiles(image, static_cast<int64_t>(split));
    const auto count = [&](size_t split) { return static_cast<int64_t>(cut[split].size()); };
    if (count(0) < kFewestTrain || count(1) < kFewestVal || count(2) < kFewestTest) continue;
    for (size_t split = 0; split < 3; ++split)
      for (const Image& tile : cut[split]) images[split].emplace_back(label, encode_png(tile));
    names += fmt::format("{}\n", photo.name);
    ++label;
  }
  const std::array<const char*, 3> split_names = {"train", "val", "test"};
  for (size_t split = 0; split < 3; ++split)
    write_file_atomically(tiles / fmt::format("{}-000000.tar", split_names[split]), 0, [&](const Append& append) {
      for (size_t i = 0; i < images[split].size(); ++i) {
        append_tar_entry(append, fmt::format("{:06}.cls", i), std::to_string(images[split][i].first));
        append_tar_entry(append, fmt::format("{:06}.png", i), images[split][i].second);
      }
      append_tar_end(append);
    });
  write_file_atomically(tiles / "classes.txt", names);
  std::error_code error;
  fs::remove(destination, error);
  fs::rename(tiles, destination, error);
  if (error) fail(Code::data, "{}: cannot be made: {}", destination.string(), error.message());
  progress(fmt::format("{} photographs, {} train, {} val and {} test tiles in {}", label, images[0].size(),
                       images[1].size(), images[2].size(), destination.string()));
}

}  // namespace simmim
