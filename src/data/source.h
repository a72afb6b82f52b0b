// What one kind of data set must provide: its images by split, as its files have them. One source a file; the table is in
// datasets.cpp.
#pragma once
#include <array>
#include <string>
#include <vector>

#include "data/dataset.h"

namespace simmim {

struct Item {
  std::string name;     // unique within the split, independent of where the files lie
  int64_t bytes = 0;    // size as stored
  int64_t label = -1;   // index into class_names; -1: none
};

class Source {
 public:
  virtual ~Source() = default;

  const std::vector<Item>& items(Split split) const { return items_[static_cast<size_t>(split)]; }
  const std::vector<std::string>& class_names() const { return class_names_; }

  // Decodes one image; any number of threads at once; throws ImageError.
  virtual void load(Split split, int64_t index, Image& out) const = 0;
  // The image as a file's bytes and that file's suffix.
  virtual std::string encoded(Split split, int64_t index, std::string& suffix) const {
    Image image;
    load(split, index, image);
    suffix = "png";
    return encode_png(image);
  }
  // Decoded images are worth keeping in a cache file: decoding costs much more than a copy, and there are few.
  virtual bool wants_cache() const { return false; }
  virtual bool grey() const { return false; }

 protected:
  std::vector<Item>& items_of(Split split) { return items_[static_cast<size_t>(split)]; }

  std::array<std::vector<Item>, 3> items_;
  std::vector<std::string> class_names_;
};

}  // namespace simmim
