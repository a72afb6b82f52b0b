#include "heads/linear.h"

#include <cmath>

namespace simmim {

LinearHead::LinearHead(const Options&, const Scope& scope, const FeatureShape& features,
                       const PredictionShape& prediction)
    : side_(prediction.side) {
  const int64_t out = prediction.channels * side_ * side_;
  const Init init =
      uniform(1 / std::sqrt(static_cast<double>(features.channels)));  // PyTorch's default of a convolution
  weight_ = scope.make("0.weight", {out, features.channels, 1, 1}, init);
  bias_ = scope.make("0.bias", {out}, init);
}

Tensor LinearHead::forward(const Tensor& features) const {
  return shuffle_cells(at::linear(features.permute({0, 2, 3, 1}), weight_.flatten(1), bias_), side_);
}

Tensor shuffle_cells(const Tensor& rows, int64_t side) {
  const int64_t B = rows.size(0), h = rows.size(1), w = rows.size(2), c = rows.size(3) / (side * side);
  return rows.view({B, h, w, c, side, side}).permute({0, 3, 1, 4, 2, 5}).reshape({B, c, h * side, w * side});
}

}  // namespace simmim
