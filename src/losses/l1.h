// Absolute difference: the paper's loss.
#pragma once
#include "losses/loss.h"

namespace simmim {

class L1 : public Loss {
 public:
  using Options = LossArea;
  explicit L1(const Options& options) : Loss(options) {}
  Tensor of_each(const Tensor& prediction, const Tensor& target) const override {
    return at::l1_loss(prediction, target, at::Reduction::None);
  }
};

}  // namespace simmim
