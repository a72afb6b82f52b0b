// The image itself, at full or lower resolution, as it is or relative to what surrounds each pixel.
#pragma once
#include "core/fields.h"
#include "targets/normalise.h"
#include "targets/target.h"

namespace simmim {

class Pixels : public Target {
 public:
  struct Options {
    std::optional<int64_t> resolution;
    std::string downsample = "area";
    std::string normalise = "none";
    std::optional<int64_t> patch;
    int64_t window = 47;
    static void fields(auto& o, auto&& visit) {
      visit("resolution", o.resolution, "pixels a side of what is predicted; auto: the image's", FieldRule{.min = 1});
      visit("downsample", o.downsample,
            "how the image becomes that small: area (each pixel the mean of a square) or bicubic (antialiased); the "
            "paper does not say",
            FieldRule{.choices = {"area", "bicubic"}});
      visit("normalise", o.normalise,
            "none; patch: less the mean and over the deviation of its patch (MAE); window: of the window around each "
            "pixel (SwinV2's practice); before the image is averaged to the resolution",
            FieldRule{.choices = {"none", "patch", "window"}});
      visit("patch", o.patch, "normalise=patch: its side in pixels; auto: what one feature cell covers",
            FieldRule{.min = 2});
      visit("window", o.window, "normalise=window: its side in pixels, an odd number", FieldRule{.min = 3});
    }
  };

  Pixels(const Options& options, const TargetSite& site);
  Tensor of(const Tensor& images) const override;
  int64_t resolution() const override { return resolution_; }
  int64_t channels() const override { return 3; }
  // A normalised prediction gets the mean and deviation of the image that was hidden.
  Tensor draw(const Tensor& prediction, const Tensor& images) const override;

 private:
  LocalStatistics statistics(const Tensor& images) const {
    return patch_ > 0 ? patch_statistics(images, patch_) : window_statistics(images, window_);
  }
  Tensor downsampled(const Tensor& images) const;  // (B,3,S,S) -> (B,3,r,r)

  int64_t resolution_, patch_ = 0, window_ = 0;  // 0: not normalised by it
  bool bicubic_;
};

}  // namespace simmim
