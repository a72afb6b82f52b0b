// The decoded images of a small data set in one file that every process maps, so that they are decoded once a machine
// and held in memory once. A file is complete or absent; its name says which content it holds.
#pragma once
#include <optional>

#include "core/files.h"
#include "data/source.h"

namespace simmim {

class DecodedCache {
 public:
  // nullopt where the images are too many or too large to be worth it (more than 1 GiB decoded), or the cache folder
  // cannot be written: then images are decoded each time.
  static std::optional<DecodedCache> open(const Source& source, const std::string& name,
                                          const std::string& fingerprint);

  void load(Split split, int64_t index, Image& out) const;  // ImageError with the reason met when the cache was made

 private:
  DecodedCache(MappedFile file, const Source& source);

  MappedFile file_;
  std::array<int64_t, 3> first_{};  // number of each split's first image
};

}  // namespace simmim
