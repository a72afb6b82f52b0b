#include "losses/loss.h"

namespace simmim {
namespace {

// The official mask is an integer tensor, so its sum + 1e-5 is rounded to f32 whatever the type of the rest.
double denominator(double weight_sum) { return static_cast<float>(weight_sum) + 1e-5f; }

}  // namespace

Tensor Loss::weigh(const Tensor& share) const {
  if (weighs_by_share()) return share;
  return partial_ == "any" ? share.gt(0) : share.eq(1);
}

Tensor reduce_loss(const Tensor& each, const Tensor& weight, double weight_sum) {
  const Tensor sum = weight.defined() ? (each * weight.unsqueeze(1)).sum() : each.sum();
  return sum * (1 / denominator(weight_sum) / static_cast<double>(each.size(1)));
}

Tensor image_losses(const Tensor& each, const Tensor& weight) {
  const Tensor weights =
      weight.defined() ? weight : at::ones({each.size(0), each.size(2), each.size(3)}, each.options());
  return (each * weights.unsqueeze(1)).sum({1, 2, 3}) / (weights.sum({1, 2}).to(at::kFloat) + 1e-5) / each.size(1);
}

}  // namespace simmim
