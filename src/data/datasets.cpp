// The table of data sets, and where their files are looked for.
#include <sys/stat.h>

#include <algorithm>
#include <map>

#include "core/files.h"
#include "core/hash.h"
#include "core/names.h"
#include "data/photo_tiles.h"
#include "data/source.h"

namespace simmim {
namespace {
constexpr const char* kBinary = "unpack its binary release there, or give data.root=FOLDER";
std::vector<fs::path> nowhere() { return {}; }
}  // namespace

const std::vector<DatasetRow>& datasets() {
  static const std::vector<DatasetRow> rows = {
      {.name = "fashion_mnist",
       .help = "70,000 grey photographs of clothes, 28 px, 10 classes (Debian's dataset-fashion-mnist)",
       .grey = true,
       .classes = 10,
       .train_images = 60000,
       .test_images = 10000,
       .side = 28,
       .mean = {0.2860, 0.2860, 0.2860},
       .std = {0.3530, 0.3530, 0.3530},
       .missing = "install Debian's dataset-fashion-mnist, or give data.root=FOLDER",
       .open = open_fashion_mnist,
       .usual_places = [] { return std::vector<fs::path>{"/usr/share/datasets/fashion-mnist"}; }},
      {.name = "cifar10",
       .help = "60,000 colour photographs, 32 px, 10 classes (binary release)",
       .classes = 10,
       .train_images = 50000,
       .test_images = 10000,
       .side = 32,
       .mean = {0.4914, 0.4822, 0.4465},
       .std = {0.2470, 0.2435, 0.2616},
       .missing = kBinary,
       .open = open_cifar10,
       .usual_places = nowhere},
      {.name = "cifar100",
       .help = "60,000 colour photographs, 32 px, 100 classes (binary release)",
       .classes = 100,
       .train_images = 50000,
       .test_images = 10000,
       .side = 32,
       .mean = {0.5071, 0.4865, 0.4409},
       .std = {0.2673, 0.2564, 0.2762},
       .missing = kBinary,
       .open = open_cifar100,
       .usual_places = nowhere},
      {.name = "stl10",
       .help = "13,000 labelled and 100,000 unlabelled photographs, 96 px, 10 classes (binary release)",
       .classes = 10,
       .train_images = 5000,
       .test_images = 8000,
       .side = 96,
       // As published code has them; not computed from the files. Some of it has 0.224 for std, a mean over images of
       // each image's own. data.mean=measure computes both.
       .mean = {0.4467, 0.4398, 0.4066},
       .std = {0.2603, 0.2566, 0.2713},
       .missing = kBinary,
       .open = open_stl10,
       .usual_places = nowhere},
      {.name = "image_folder",
       .help = "JPEG, PNG, WebP or PPM files, one folder a class or none; list files",
       .missing = "give the folder that holds train/ (and val/, test/)",
       .open = open_image_folder,
       .usual_places = nowhere},
      {.name = "tar_shards",
       .help = "tars of images with WebDataset's names: 000001.jpg beside 000001.cls",
       .missing = "give the folder that holds the tars",
       .open = open_tar_shards,
       .usual_places = nowhere},
      {.name = "photo_tiles",
       .help = "64 px tiles of photographs in Debian's wallpaper packages; which photograph? "
               "(data fetch photo_tiles)",
       .classes = 37,
       .train_images = 8061,
       .test_images = 4652,
       .side = 64,
       .mean = {0.4332, 0.4355, 0.3272},
       .std = {0.2615, 0.2476, 0.2625},
       .missing = "run: simmim data fetch photo_tiles",
       .open = open_photo_tiles,
       .usual_places = [] { return std::vector<fs::path>{photo_tiles_folder()}; }},
  };
  return rows;
}

void refuse_split_options(const DataOptions& options) {
  for (const auto& [key, value] : {std::pair{"train", options.train}, {"val", options.val}, {"test", options.test}})
    if (!value.empty())
      fail(Code::usage,
           "data.{}: got '{}'; {} has splits of its own: leave it empty, or use image_folder or tar_shards", key, value,
           options.name);
}

std::vector<std::string> read_names(const fs::path& path) {
  std::vector<std::string> names;
  if (!fs::exists(path)) return names;
  const std::string text = read_file(path);
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    std::string name = text.substr(begin, end - begin);
    if (name.ends_with('\r')) name.pop_back();
    if (!name.empty()) names.push_back(std::move(name));
    begin = end + 1;
  }
  return names;
}

void Source::add_to_stamp(const fs::path& file) {
  struct stat status {};
  ::stat(file.c_str(), &status);
  const std::string text = fmt::format("{} {} {}.{} {}", fs::absolute(file).string(), status.st_size,
                                       status.st_mtim.tv_sec, status.st_mtim.tv_nsec, status.st_ino);
  stamp_ = hash64(text, stamp_);
}

std::string Source::encoded(Split split, int64_t index, std::string& suffix) const {
  Image image;
  load(split, index, image);
  suffix = "png";
  return encode_png(image);
}

uint64_t Source::content_hash(Split split, int64_t index) const {
  Image image;
  load(split, index, image);
  return hash64({reinterpret_cast<const char*>(image.rgb.data()), image.rgb.size()}, static_cast<uint64_t>(image.w));
}

std::unique_ptr<Dataset> open_dataset(const DataOptions& options, const fs::path& site_root) {
  std::vector<std::string> names;
  for (const DatasetRow& row : datasets()) {
    names.push_back(row.name);
    if (row.name != options.name) continue;
    std::vector<fs::path> places;
    if (!options.root.empty())
      places = {options.root};
    else {
      if (!site_root.empty()) places = {site_root / row.name};
      for (const fs::path& place : row.usual_places()) places.push_back(place);
    }
    if (places.empty() && !options.train.empty()) places = {"."};
    for (const fs::path& place : places)
      if (fs::is_directory(place)) return std::make_unique<Dataset>(row.open(options, place), options);
    if (places.empty()) fail(Code::usage, "data.root: {} needs a folder; give data.root=FOLDER", row.name);
    std::vector<std::string> looked;
    for (const fs::path& place : places) looked.push_back(place.string());
    fail(Code::data, "data.root: no folder {} for {}; {}", fmt::join(looked, " or "), row.name, row.missing);
  }
  fail(Code::usage, "data.name: unknown name '{}'{}", options.name, unknown_name_hint(options.name, names));
}

std::shared_ptr<const Dataset> shared_dataset(const DataOptions& options, const fs::path& site_root) {
  static std::map<std::string, std::shared_ptr<const Dataset>> opened;
  DataOptions key = options;
  key.mean = key.std = "auto";  // neither changes which images there are
  key.image_size = 32;
  std::shared_ptr<const Dataset>& dataset = opened[canonical(write_fields(key)) + site_root.string()];
  if (!dataset) dataset = open_dataset(options, site_root);
  return dataset;
}

}  // namespace simmim
