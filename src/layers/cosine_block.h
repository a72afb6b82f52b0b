// The block of Swin V2 (Liu et al., CVPR 2022; Swin-Transformer swin_transformer_v2.py): norms after the branches, on
// which the residual stream does not grow with depth, x += norm1(attention(x)), x += norm2(mlp(x)); attention by the
// cosine of queries and keys, a learned scale a head, and a continuous position bias.
#pragma once
#include "layers/continuous_bias.h"
#include "layers/window_stage.h"

namespace simmim {

class CosineBlock : public WindowBlock {
 public:
  // Of `options` layer_scale, split_qkv_bias and residual_scale have no part here. Both norms start at zero, so that a
  // new block passes its input on (swin_transformer_v2.py, _init_respostnorm). window, pretrained: tokens a side.
  CosineBlock(const Scope& scope, const BlockOptions& options, int64_t window, int64_t pretrained, const Tensor& index);

  Tensor forward(const Tensor& x, const Windows& windows, int64_t index, const StepContext& step) const override;
  // Without the bias, which is computed once a batch.
  double flops(int64_t L, int64_t N) const override { return block_flops(options_, L, N); }
  double kept_bytes(int64_t L, int64_t N, const ModelContext& on) const override;
  NamedTensors buffers() const override;

 private:
  BlockOptions options_;
  LayerNorm norm1_;
  Tensor logit_scale_, q_bias_, v_bias_;  // (H,1,1), logarithm of the scale; (D), keys have none
  ContinuousBias bias_;
  Linear qkv_, proj_;
  LayerNorm norm2_;
  Linear fc1_, fc2_;
};

}  // namespace simmim
