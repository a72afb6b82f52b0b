// A loss: prediction x target -> one number, over the masked pixels or over all.
#pragma once
#include <string>

#include "core/fields.h"
#include "layers/torch.h"

namespace simmim {

// The option that every loss has.
struct LossArea {
  std::string area = "masked";
  static void fields(auto& o, auto&& visit) {
    visit("area", o.area, "pixels that count: the masked ones, as in the paper, or all (reconstruction)",
          FieldRule{.choices = {"masked", "all"}});
  }
};

class Loss {
 public:
  explicit Loss(const std::string& area) : masked_only_(area == "masked") {}
  virtual ~Loss() = default;

  // prediction (B,c,r,r), or logits (B,c*n,r,r) of n classes; target (B,c,r,r) -> loss of every value (B,c,r,r)
  virtual Tensor of_each(const Tensor& prediction, const Tensor& target) const = 0;
  virtual bool takes_classes() const { return false; }  // needs a target with classes() > 0

  // True: only masked pixels count, so what is visible need not even be predicted.
  bool masked_only() const { return masked_only_; }

 private:
  bool masked_only_;
};

// each (B,c,r,r), weight (B,r,r) or undefined (every pixel counts) -> sum(each * weight) / (weight_sum + 1e-5) / c, a
// 0-d tensor (SimMIM simmim.py:117-121). weight_sum is that of the whole batch, so that the losses of its pieces add
// up.
Tensor reduce_loss(const Tensor& each, const Tensor& weight, double weight_sum);

// The same for each image with its own weights as denominator -> (B)
Tensor image_losses(const Tensor& each, const Tensor& weight);

}  // namespace simmim
