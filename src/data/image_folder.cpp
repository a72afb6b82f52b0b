// Images in folders: one folder a class, or none; or named by list files. ImageNet's layout (train/ and val/, no test/)
// is read with val/ as the test split, so that it is looked at only once, at the end.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <map>

#include "core/files.h"
#include "data/encoded_source.h"
#include "data/list_file.h"

namespace simmim {
namespace {

constexpr int64_t kMostStamped = 100000;  // beyond, there is no cache that a file's time would have to protect
constexpr const char* kLayouts =
    "expected train/CLASS/*.jpg with val/ and test/ likewise, or CLASS/*.jpg, or *.jpg without classes; JPEG, PNG, "
    "WebP and PPM are read";

struct Found {
  std::string name;  // relative to the split's folder
  std::string class_name;
  int64_t bytes;
};

int64_t to_index(const std::string& text) {  // -1: not a plain number
  int64_t value = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size() && value >= 0 ? value : -1;
}

class ImageFolder : public EncodedSource {
 public:
  ImageFolder(const DataOptions& options, const fs::path& root) {
    const std::array<std::string, 3> given = {options.train, options.val, options.test};
    std::array<fs::path, 3> paths;
    const bool any = std::any_of(given.begin(), given.end(), [](const std::string& path) { return !path.empty(); });
    if (any)
      for (size_t i = 0; i < 3; ++i) paths[i] = given[i].empty() ? fs::path() : root / given[i];
    else
      paths = usual_folders(root);

    std::array<std::vector<Found>, 3> found;
    for (Split split : kSplits) {
      const fs::path& path = paths[static_cast<size_t>(split)];
      if (path.empty()) continue;
      if (fs::is_directory(path))
        found[static_cast<size_t>(split)] = scan(split, path);
      else if (path.extension() == ".tar" || path.string().find('{') != std::string::npos)
        fail(Code::usage, "data.{}: {} is a tar pattern; set data.name=tar_shards", split_name(split), path.string());
      else if (fs::exists(path))
        read_list(split, path, root, options, found);
      else
        fail(Code::data, "data.{}: {} does not exist; allowed: a folder or a list file", split_name(split),
             path.string());
    }
    set_classes(found);
    for (Split split : kSplits) add_items(split, found[static_cast<size_t>(split)]);
  }

 private:
  // train/, val/, test/ under root; where there is no test/, val/ is the test; where there is no train/, root is.
  static std::array<fs::path, 3> usual_folders(const fs::path& root) {
    std::array<fs::path, 3> paths;
    for (Split split : kSplits)
      if (fs::is_directory(root / split_name(split))) paths[static_cast<size_t>(split)] = root / split_name(split);
    if (paths[2].empty()) std::swap(paths[1], paths[2]);
    if (paths[0].empty() && paths[2].empty()) paths[0] = root;
    return paths;
  }

  std::vector<Found> scan(Split split, const fs::path& folder) {
    base_[static_cast<size_t>(split)] = folder;
    std::vector<Found> found;
    int64_t loose = 0;
    std::string others;
    try {
      const auto options = fs::directory_options::follow_directory_symlink;
      for (const auto& entry : fs::recursive_directory_iterator(folder, options)) {
        if (!entry.is_regular_file() || entry.path().filename().string().starts_with('.')) continue;
        if (!has_image_suffix(entry.path())) {
          others = entry.path().filename().string();
          continue;
        }
        const fs::path relative = entry.path().lexically_relative(folder);
        const bool in_class = relative.has_parent_path();
        loose += !in_class;
        found.push_back({relative.generic_string(), in_class ? relative.begin()->string() : "",
                         static_cast<int64_t>(entry.file_size())});
      }
    } catch (const fs::filesystem_error& error) {
      fail(Code::data, "{}: cannot list this folder: {}", folder.string(), error.code().message());
    }
    if (found.empty())
      fail(Code::data, "{}: holds no image{}; {}", folder.string(),
           others.empty() ? "" : fmt::format(" (but, for example, {})", others), kLayouts);
    if (loose > 0 && loose < static_cast<int64_t>(found.size()))
      fail(Code::data, "{}: holds {} images of its own beside those in class folders; {}", folder.string(), loose,
           kLayouts);
    std::sort(found.begin(), found.end(), [](const Found& a, const Found& b) { return a.name < b.name; });
    return found;
  }

  void read_list(Split split, const fs::path& path, const fs::path& root, const DataOptions& options,
                 std::array<std::vector<Found>, 3>& found) {
    const std::array<bool, 3> given = {!options.train.empty(), !options.val.empty(), !options.test.empty()};
    for (const ListedImage& image : read_list_file(path)) {
      const Split to = image.split.value_or(split);
      if (to != split && given[static_cast<size_t>(to)]) continue;  // that split is read from elsewhere
      struct stat status {};
      if (::stat((root / image.path).c_str(), &status) != 0)
        fail(Code::data, "{}:{}: {} cannot be found under {}", path.string(), image.line, image.path, root.string());
      base_[static_cast<size_t>(to)] = root;
      found[static_cast<size_t>(to)].push_back({image.path, image.label, status.st_size});
    }
    for (std::vector<Found>& each : found)
      std::sort(each.begin(), each.end(), [](const Found& a, const Found& b) { return a.name < b.name; });
    if (found[static_cast<size_t>(split)].empty())
      fail(Code::data, "{}: has no image whose split is {}", path.string(), split_name(split));
    list_ = true;
  }

  // The classes are those of the first split that has any. Labels of a list that are all numbers are taken as indices.
  void set_classes(const std::array<std::vector<Found>, 3>& found) {
    int64_t largest = -1;
    bool numbers = list_;
    for (const std::vector<Found>& each : found)
      for (const Found& image : each)
        if (!image.class_name.empty()) {
          const int64_t index = to_index(image.class_name);
          numbers = numbers && index >= 0 && index < (1 << 20);
          largest = std::max(largest, index);
        }
    if (numbers) {
      for (int64_t i = 0; i <= largest; ++i) class_names_.push_back(std::to_string(i));
      return;
    }
    for (const std::vector<Found>& each : found) {
      std::map<std::string, int> names;
      for (const Found& image : each)
        if (!image.class_name.empty()) names[image.class_name] = 1;
      for (const auto& [name, one] : names) class_names_.push_back(name);
      if (!class_names_.empty()) return;
    }
  }

  void add_items(Split split, const std::vector<Found>& found) {
    std::map<std::string, int64_t> index_of;
    for (size_t i = 0; i < class_names_.size(); ++i) index_of[class_names_[i]] = static_cast<int64_t>(i);
    for (const Found& image : found) {
      int64_t label = -1;
      if (!image.class_name.empty()) {
        const auto at = index_of.find(list_ && to_index(image.class_name) >= 0 && !index_of.contains(image.class_name)
                                          ? std::to_string(to_index(image.class_name))
                                          : image.class_name);
        if (at == index_of.end())
          fail(Code::data, "data.{}: {} is of class '{}', which is none of the {} classes of the training images",
               split_name(split), image.name, image.class_name, class_names_.size());
        label = at->second;
      }
      items_of(split).push_back({image.name, image.bytes, label});
      if (static_cast<int64_t>(items(split).size()) <= kMostStamped)
        add_to_stamp(base_[static_cast<size_t>(split)] / image.name);
    }
  }

  std::string_view bytes(Split split, int64_t index, std::string& buffer) const override {
    const Item& image = item(split, index);
    const fs::path path = base_[static_cast<size_t>(split)] / image.name;
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    size_t length = 0;
    struct stat status {};
    bool good = descriptor >= 0 && ::fstat(descriptor, &status) == 0;
    if (good) buffer.resize(static_cast<size_t>(status.st_size));
    while (good && length < buffer.size()) {
      const ssize_t got = ::read(descriptor, buffer.data() + length, buffer.size() - length);
      if (got < 0 && errno == EINTR) continue;
      good = got > 0;
      if (good) length += static_cast<size_t>(got);
    }
    const int reason = errno;
    if (descriptor >= 0) ::close(descriptor);
    if (!good)
      throw ImageError(fmt::format("{}: cannot read {}: {}", image.name, path.string(), std::strerror(reason)));
    return buffer;
  }

  std::array<fs::path, 3> base_;
  bool list_ = false;
};

}  // namespace

std::unique_ptr<Source> open_image_folder(const DataOptions& options, const fs::path& root) {
  return std::make_unique<ImageFolder>(options, root);
}

}  // namespace simmim
