// Squared near zero, absolute beyond: x^2 / (2 beta) for |x| < beta, else |x| - beta/2.
#pragma once
#include "losses/loss.h"

namespace simmim {

class SmoothL1 : public Loss {
 public:
  struct Options : LossArea {
    double beta = 1;
    static void fields(auto& o, auto&& visit) {
      LossArea::fields(o, visit);
      visit("beta", o.beta, "where the square turns into the absolute value; the paper does not say, 1 is PyTorch's",
            FieldRule{.min = 1e-6});
    }
  };
  explicit SmoothL1(const Options& options) : Loss(options), beta_(options.beta) {}
  Tensor of_each(const Tensor& prediction, const Tensor& target) const override {
    return at::smooth_l1_loss(prediction, target, at::Reduction::None, beta_);
  }

 private:
  double beta_;
};

}  // namespace simmim
