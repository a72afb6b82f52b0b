// A source whose images are files of their own (JPEG, PNG, WebP, PPM), in a folder or in a tar.
#pragma once
#include "data/source.h"

namespace simmim {

class EncodedSource : public Source {
 public:
  void load(Split split, int64_t index, Image& out) const override;
  std::string encoded(Split split, int64_t index, std::string& suffix) const override;
  uint64_t content_hash(Split split, int64_t index) const override;
  // Few and small enough: at most 256 MiB of files and 512 MiB decoded, by their headers; raw pixels never.
  bool wants_cache() const override;

 protected:
  // The image's bytes, in `buffer` or elsewhere; throws ImageError.
  virtual std::string_view bytes(Split split, int64_t index, std::string& buffer) const = 0;
};

}  // namespace simmim
