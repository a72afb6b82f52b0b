#include "heads/mlp.h"

#include <cmath>

#include "heads/linear.h"

namespace simmim {

MlpHead::MlpHead(const Options& options, const Scope& scope, const FeatureShape& features,
                 const PredictionShape& prediction)
    : side_(prediction.side) {
  const int64_t out = prediction.channels * side_ * side_;
  const Init in_init = uniform(1 / std::sqrt(static_cast<double>(features.channels)));
  const Init out_init = uniform(1 / std::sqrt(static_cast<double>(options.hidden)));
  first_ = scope.make("0.weight", {options.hidden, features.channels, 1, 1}, in_init);
  first_bias_ = scope.make("0.bias", {options.hidden}, in_init);
  second_ = scope.make("2.weight", {out, options.hidden, 1, 1}, out_init);
  second_bias_ = scope.make("2.bias", {out}, out_init);
}

Tensor MlpHead::forward(const Tensor& features) const {
  const Tensor hidden = at::gelu(at::linear(features.permute({0, 2, 3, 1}), first_.flatten(1), first_bias_));
  return shuffle_cells(at::linear(hidden, second_.flatten(1), second_bias_), side_);
}

}  // namespace simmim
