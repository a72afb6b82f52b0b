#include "losses/loss.h"

namespace simmim {

Tensor reduce_loss(const Tensor& each, const Tensor& weight, double weight_sum) {
  const Tensor sum = weight.defined() ? (each * weight.unsqueeze(1)).sum() : each.sum();
  return sum * (1 / (weight_sum + 1e-5) / static_cast<double>(each.size(1)));
}

Tensor image_losses(const Tensor& each, const Tensor& weight) {
  const Tensor weights = weight.defined() ? weight : at::ones({each.size(0), each.size(2), each.size(3)}, each.options());
  return (each * weights.unsqueeze(1)).sum({1, 2, 3}) / (weights.sum({1, 2}) + 1e-5) / each.size(1);
}

}  // namespace simmim
