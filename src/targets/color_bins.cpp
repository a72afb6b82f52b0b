#include "targets/color_bins.h"

namespace simmim {

ColorBins::ColorBins(const Options& options, const TargetSite& site)
    : resolution_(options.fit_to(site)), bins_(options.bins), scale_(site) {}

Tensor ColorBins::of(const Tensor& images) const {
  const double width = 256.0 / static_cast<double>(bins_);
  return average_squares(scale_.bytes(images), resolution_).div(width).floor_().clamp_max_(bins_ - 1).to(at::kLong);
}

Tensor ColorBins::draw(const Tensor& prediction, const Tensor&) const {
  const double width = 256.0 / static_cast<double>(bins_);
  return scale_.normalised((likeliest(prediction, 3).to(at::kDouble) + 0.5) * width - 0.5);
}

}  // namespace simmim
