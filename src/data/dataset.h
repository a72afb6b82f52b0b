// A data set as the rest of the program sees it: three splits of images with labels. Reading bytes is a Source's job
// (source.h); this adds the held-out validation images, the limit, the cache of decoded images and the fingerprint.
#pragma once
#include <array>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "data/image.h"
#include "data/options.h"

namespace simmim {

enum class Split { train, val, test };
inline constexpr std::array<Split, 3> kSplits = {Split::train, Split::val, Split::test};
const char* split_name(Split split);                                   // "train", "val", "test"
Split parse_split(const std::string& text, const std::string& where);  // usage error with the list

class Source;

class Dataset {
 public:
  // Takes the source's images and applies holdout, limit, split_seed and verify of the options. Small compressed sets
  // are decoded once, into a memory-mapped file under cache_folder() that all processes share.
  Dataset(std::unique_ptr<Source> source, const DataOptions& options);
  ~Dataset();

  bool has(Split split) const { return size(split) > 0; }
  int64_t size(Split split) const;
  int64_t label(Split split, int64_t index) const;  // 0 .. classes()-1; -1: none
  std::vector<int64_t> labels(Split split) const;
  int64_t classes() const;  // 0: unlabelled
  const std::vector<std::string>& class_names() const;
  std::string item_name(Split split, int64_t index) const;
  bool grey() const;  // every image is grey by nature (fashion_mnist)

  // Decoded, at its own size. Any number of threads at once. Throws ImageError.
  void load(Split split, int64_t index, Image& out) const;
  Image load(Split split, int64_t index) const;
  // The image as a file's bytes (as stored, else PNG) and that file's suffix ("jpg"); for `data pack`.
  std::string encoded(Split split, int64_t index, std::string& suffix) const;

  // 32 hex digits over sorted names, sizes, labels and splits (verify: bytes too) of everything that the source offers:
  // holdout and limit, which stand in the configuration, do not change it, nor does where the files lie.
  const std::string& fingerprint() const { return fingerprint_; }
  // True where val was cut out of the training images.
  bool held_out() const { return held_out_; }

 private:
  struct Place {
    Split split;    // of the source
    int64_t index;  // in that split
  };
  const Place& place(Split split, int64_t index) const;

  std::unique_ptr<Source> source_;
  std::array<std::vector<Place>, 3> places_;
  std::unique_ptr<class DecodedCache> cache_;
  std::string fingerprint_;
  bool held_out_ = false;
};

// Opens the data set that options.name says. Its folder is options.root, else site_root/NAME (site_root: "data" of the
// site file; may be empty), else the place where it is usually found (fashion_mnist: Debian's package; photo_tiles:
// where `data fetch` puts it). Usage errors for options that do not fit, data errors for missing or damaged files; the
// message says what was expected.
std::unique_ptr<Dataset> open_dataset(const DataOptions& options, const std::filesystem::path& site_root = {});

// The same, opened once a process for each configuration: a sweep's cells share their data sets.
std::shared_ptr<const Dataset> shared_dataset(const DataOptions& options, const std::filesystem::path& site_root);

// `count` images with labels in equal numbers a class (classes differ by at most one), chosen by seed and sorted; the
// choice for a smaller count of the same seed is contained in that for a larger one when count is a multiple of the
// classes. Usage error where the split has no labels or too few images of a class.
std::vector<int64_t> balanced_subset(const Dataset& dataset, Split split, int64_t count, uint64_t seed);

// A row of `simmim list datasets`, with what is known without the files (0 where that depends on the folder).
struct DatasetRow {
  std::string name, help;
  bool grey = false;
  int64_t classes = 0, train_images = 0, test_images = 0, side = 0;
  std::array<double, 3> mean{}, std{};  // of the training images, 0 to 1; zeros: not known beforehand
  std::string missing;                  // what to do where the folder is not found
  std::unique_ptr<Source> (*open)(const DataOptions& options, const std::filesystem::path& root);
  std::vector<std::filesystem::path> (*usual_places)();
};
const std::vector<DatasetRow>& datasets();

}  // namespace simmim
