#include "targets/pixels.h"

#include "core/error.h"

namespace simmim {

Pixels::Pixels(const Options& options, const TargetSite& site)
    : resolution_(fit_resolution(options.resolution, site.image_size, site)),
      bicubic_(options.downsample == "bicubic") {
  const int64_t S = site.image_size, pixel = S / resolution_;
  if (options.normalise == "window") {
    window_ = options.window;
    if (window_ % 2 == 0)
      fail(Code::usage, "target.window: got {}; allowed: an odd number, such as {}", window_, window_ + 1);
  }
  if (options.normalise == "patch") {
    patch_ = options.patch.value_or(S / site.cells);
    if (S % patch_ != 0)
      fail(Code::usage, "target.patch: {} does not divide the image's {} pixels a side; use {}", patch_, S,
           S / site.cells);
    if (patch_ <= pixel)
      fail(Code::usage,
           "target.patch: {} pixels hold no more than one target pixel of {}, which is always 0 when normalised; use a "
           "larger patch, a higher target.resolution or target.normalise=window",
           patch_, pixel);
  }
}

Tensor Pixels::of(const Tensor& images) const {
  if (patch_ == 0 && window_ == 0) return downsampled(images);
  const LocalStatistics local = statistics(images);
  return downsampled((images - local.mean) / local.deviation);
}

Tensor Pixels::draw(const Tensor& prediction, const Tensor& images) const {
  if (patch_ == 0 && window_ == 0) return prediction;
  const LocalStatistics local = statistics(images);
  return prediction * average_squares(local.deviation, resolution_) + average_squares(local.mean, resolution_);
}

Tensor Pixels::downsampled(const Tensor& images) const {
  if (!bicubic_ || images.size(2) == resolution_) return average_squares(images, resolution_);
  return at::_upsample_bicubic2d_aa(images, {resolution_, resolution_}, /*align_corners=*/false);
}

}  // namespace simmim
