// The image itself, at full or lower resolution.
#pragma once
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

  Pixels(const Options& options, const TargetSite& site);
  Tensor of(const Tensor& images) const override { return average_squares(images, resolution_); }
  int64_t resolution() const override { return resolution_; }
  int64_t channels() const override { return 3; }
  Tensor draw(const Tensor& prediction, const Tensor&) const override { return prediction; }

 private:
  int64_t resolution_;
};

}  // namespace simmim
