// The image itself, at full or lower resolution.
#pragma once
#include <optional>

#include "core/fields.h"
#include "targets/target.h"

namespace simmim {

class Pixels : public Target {
 public:
  struct Options {
    std::optional<int64_t> resolution;
    static void fields(auto& o, auto&& visit) {
      visit("resolution", o.resolution, "pixels a side of what is predicted; auto: the image's", FieldRule{.min = 1});
    }
  };

  // The resolution must divide the image: each target pixel is the mean of a square of the image (the paper does not
  // name its kernel; the mean is exactly aligned).
  Pixels(const Options& options, int64_t image_size);
  Tensor of(const Tensor& images) const override;
  int64_t resolution() const override { return resolution_; }
  int64_t channels() const override { return 3; }

 private:
  int64_t resolution_;
};

}  // namespace simmim
