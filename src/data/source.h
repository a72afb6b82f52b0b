// What one kind of data set must provide: its images by split, as its files have them. One source a file; the table is
// in datasets.cpp.
#pragma once
#include <array>
#include <filesystem>
#include <string>
#include <vector>

#include "data/dataset.h"

namespace simmim {

struct Item {
  std::string name;    // unique within the split, independent of where the files lie
  int64_t bytes = 0;   // size as stored
  int64_t label = -1;  // index into class_names; -1: none
};

class Source {
 public:
  virtual ~Source() = default;

  // In a fixed order that depends on the names only.
  const std::vector<Item>& items(Split split) const { return items_[static_cast<size_t>(split)]; }
  const Item& item(Split split, int64_t index) const { return items(split)[static_cast<size_t>(index)]; }
  const std::vector<std::string>& class_names() const { return class_names_; }

  // Decodes one image; any number of threads at once; throws ImageError.
  virtual void load(Split split, int64_t index, Image& out) const = 0;
  // The image as a file's bytes and that file's suffix; throws ImageError.
  virtual std::string encoded(Split split, int64_t index, std::string& suffix) const;
  // Fingerprint of the image's content, for data.verify.
  virtual uint64_t content_hash(Split split, int64_t index) const;
  // Decoded images are worth keeping in a cache file: decoding costs much more than a copy, and there are few.
  virtual bool wants_cache() const { return false; }
  virtual bool grey() const { return false; }
  // Changes when a file changes on this machine (times, sizes): the key of the cache, never part of the fingerprint.
  uint64_t stamp() const { return stamp_; }

 protected:
  std::vector<Item>& items_of(Split split) { return items_[static_cast<size_t>(split)]; }
  void add_to_stamp(const std::filesystem::path& file);

  std::array<std::vector<Item>, 3> items_;
  std::vector<std::string> class_names_;
  uint64_t stamp_ = 0;
};

// The sources, by the name of their row. Each throws Code::data saying what was expected where its files are not as
// they should be, Code::usage for options that do not fit it.
std::unique_ptr<Source> open_fashion_mnist(const DataOptions& options, const std::filesystem::path& root);
std::unique_ptr<Source> open_cifar10(const DataOptions& options, const std::filesystem::path& root);
std::unique_ptr<Source> open_cifar100(const DataOptions& options, const std::filesystem::path& root);
std::unique_ptr<Source> open_stl10(const DataOptions& options, const std::filesystem::path& root);
std::unique_ptr<Source> open_image_folder(const DataOptions& options, const std::filesystem::path& root);
std::unique_ptr<Source> open_tar_shards(const DataOptions& options, const std::filesystem::path& root);
std::unique_ptr<Source> open_photo_tiles(const DataOptions& options, const std::filesystem::path& root);

// One name a line (classes.txt and the like); empty where there is no such file.
std::vector<std::string> read_names(const std::filesystem::path& path);

// For data sets whose splits are fixed: data.train, val and test must be empty.
void refuse_split_options(const DataOptions& options);

}  // namespace simmim
