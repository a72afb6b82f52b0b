// A loss: prediction x target -> one number, over the masked pixels or over all.
#pragma once
#include <string>

#include "core/fields.h"
#include "layers/torch.h"

namespace simmim {

// The options that every loss has.
struct LossArea {
  std::string area = "masked";
  std::string partial = "share";
  static void fields(auto& o, auto&& visit) {
    visit("area", o.area, "pixels that count: the masked ones, as in the paper, or all (reconstruction)",
          FieldRule{.choices = {"masked", "all"}});
    visit("partial", o.partial,
          "area=masked: a target pixel of which a part is masked weighs by that share, counts whole if any of it is "
          "masked, or only if it is masked in full; the paper does not say",
          FieldRule{.choices = {"share", "any", "full"}});
  }
};

class Loss {
 public:
  explicit Loss(const LossArea& options) : masked_only_(options.area == "masked"), partial_(options.partial) {}
  virtual ~Loss() = default;

  // prediction (B,c,r,r), or logits (B,c*n,r,r) of n classes; target (B,c,r,r) -> loss of every value (B,c,r,r)
  virtual Tensor of_each(const Tensor& prediction, const Tensor& target) const = 0;
  virtual bool takes_classes() const { return false; }  // needs a target with classes() > 0

  // True: only masked pixels count, so what is visible need not even be predicted.
  bool masked_only() const { return masked_only_; }
  // What a masked share of a target pixel, 0 to 1, counts; the identity if partial is "share".
  bool weighs_by_share() const { return partial_ == "share"; }
  Tensor weigh(const Tensor& share) const;

 private:
  bool masked_only_;
  std::string partial_;
};

// each (B,c,r,r), weight (B,r,r) or undefined (every pixel counts) -> sum(each * weight) / (weight_sum + 1e-5) / c, a
// 0-d tensor (SimMIM simmim.py:117-121). weight_sum is that of the whole batch, so that the losses of its pieces add
// up.
Tensor reduce_loss(const Tensor& each, const Tensor& weight, double weight_sum);

// The same for each image with its own weights as denominator -> (B)
Tensor image_losses(const Tensor& each, const Tensor& weight);

}  // namespace simmim
