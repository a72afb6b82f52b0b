// The method: hide patches behind a mask token, encode, predict the hidden pixels, compare.
#pragma once
#include <memory>

#include "core/json.h"
#include "encoders/encoder.h"
#include "heads/head.h"
#include "losses/loss.h"
#include "targets/target.h"

namespace simmim {

class SimMim {
 public:
  // config: the resolved configuration of a pretrain stage; reads data.image_size, encoder, mask.patch, head, target,
  // loss. Usage errors say which sizes do not fit and the nearest that do; a context on at::kMeta only checks and
  // counts.
  SimMim(const Json& config, const ModelContext& context);

  struct Output {
    Tensor loss;  // 0-d; f32, or f64 in an f64 model
    // Only when not step.training:
    Tensor prediction;  // (B,c,r,r) values, or (B,c*n,r,r) logits of a target of n classes
    Tensor image_loss;  // (B): each image's own loss (its own mask as denominator)
    // Only of a target of classes, (B), over each image's masked target pixels whatever the loss's area:
    Tensor image_nats;      // mean cross entropy; e to its power is the perplexity
    Tensor image_accuracy;  // share of the classes that are predicted, 0..1
  };

  // images (B,3,S,S) normalised, of the model's dtype and device; mask (B,gh,gw) uint8 on the CPU, 1 = masked, on the
  // mask grid (any grid that divides the token grid).
  // loss = sum over masked pixels |target - prediction| / (masked pixels + 1e-5) / channels   (SimMIM
  // simmim.py:110-121)
  Output forward(const Tensor& images, const Tensor& mask, const StepContext& step) const;

  const NamedTensors& parameters() const { return parameters_; }  // "encoder...", "decoder...", official names
  const Encoder& encoder() const { return *encoder_; }
  Grid mask_grid() const { return mask_grid_; }
  const Target& target() const { return *target_; }
  // Sum over a batch's target pixels of how much each counts as masked (loss.partial).
  double masked_pixels(const Tensor& mask) const;
  int64_t head_channels() const { return head_channels_; }  // what the head puts out for a feature cell
  bool decays(std::string_view name, int64_t dims) const { return encoder_->decays(name, dims, Stage::pretrain); }
  // Bytes that the forward pass of one image keeps for the backward pass, as `on` computes it.
  double kept_bytes(const ModelContext& on) const;
  double flops() const;  // of one image forward, 2 a multiply-add; a training step costs three times this

 private:
  ModelContext context_;
  int64_t image_size_ = 0, head_channels_ = 0;
  Grid mask_grid_, token_grid_, cell_grid_;
  NamedTensors parameters_;
  std::unique_ptr<Encoder> encoder_;
  std::unique_ptr<Head> head_;
  std::unique_ptr<Target> target_;
  std::unique_ptr<Loss> loss_;
};

// mask (B,gh,gw) -> (B,n,n): each cell repeated where n is a multiple of the grid (same type), else the masked share of
// each of the n x n areas (f32).
Tensor expand_mask(const Tensor& mask, int64_t n);

}  // namespace simmim
