// Squared difference.
#pragma once
#include "losses/loss.h"

namespace simmim {

class L2 : public Loss {
 public:
  using Options = LossArea;
  explicit L2(const Options& options) : Loss(options) {}
  Tensor of_each(const Tensor& prediction, const Tensor& target) const override {
    return at::mse_loss(prediction, target, at::Reduction::None);
  }
};

}  // namespace simmim
