// Cross entropy of each class that a target is made of, in nats.
#pragma once
#include "losses/loss.h"

namespace simmim {

class CrossEntropy : public Loss {
 public:
  using Options = LossArea;
  explicit CrossEntropy(const Options& options) : Loss(options) {}
  bool takes_classes() const override { return true; }

  // prediction (B,c*n,r,r): n logits of the first channel, then of the second, ...; target (B,c,r,r) int64 in [0,n)
  Tensor of_each(const Tensor& prediction, const Tensor& target) const override {
    const int64_t B = target.size(0), c = target.size(1), h = target.size(2), w = target.size(3);
    const Tensor logits = prediction.reshape({B * c, prediction.size(1) / c, h, w});
    return at::cross_entropy_loss(logits, target.reshape({B * c, h, w}), {}, at::Reduction::None).view({B, c, h, w});
  }
};

}  // namespace simmim
