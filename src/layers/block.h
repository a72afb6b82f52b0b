// A transformer block, pre-norm: x += g1*attention(norm1(x)), x += g2*mlp(norm2(x)).
#pragma once
#include "layers/linear.h"
#include "layers/step.h"
#include "layers/window.h"

namespace simmim {

struct BlockShape;  // fused_block.h

struct BlockOptions {
  int64_t dim = 0, heads = 1;
  double mlp_ratio = 4;
  double eps = 1e-5;       // of the norms
  double layer_scale = 0;  // initial g1, g2; 0: none
  double drop_path = 0;
  bool split_qkv_bias = false;  // ViT: q_bias and v_bias, none for k (SimMIM vision_transformer.py)
  double residual_scale = 1;    // factor on the initial attn.proj and mlp.fc2 weights
  Init linear;                  // of all weight matrices
};

int64_t hidden_width(const BlockOptions& options);  // of the MLP

// FLOPs of one image through the matrix products of a block, 2 a multiply-add, for L tokens in sequences of N.
double block_flops(const BlockOptions& options, int64_t L, int64_t N);

class Block {
 public:
  Block(const Scope& scope, const BlockOptions& options);

  // x (B,L,D) -> (B,L,D). bias (H,N,N). windows: where attention is confined to; nullptr: all L tokens, N = L.
  // index: of the block in the network, for drop path. Fused where the device can (layers/fused_block.h), else plain;
  // products in bf16 while an Autocast lasts.
  Tensor forward(const Tensor& x, const Tensor& bias, const Windows* windows, int64_t index,
                 const StepContext& step) const;

  // The same in LibTorch's own operations: the definition that the fused form is tested against.
  Tensor plain(const Tensor& x, const Tensor& bias, const Windows* windows, int64_t index,
               const StepContext& step) const;

  double flops(int64_t L, int64_t N) const { return block_flops(options_, L, N); }

  // Bytes that the forward pass of one image keeps for the backward pass, as `on` computes it.
  double kept_bytes(int64_t L, int64_t N, const ModelContext& on) const;

 private:
  Tensor fused(const Tensor& x, const Tensor& bias, const Windows* windows, int64_t index,
               const StepContext& step) const;
  // x (B,L,D), branch (B,L,D) -> x + factors * gamma * branch
  Tensor residual(const Tensor& x, const Tensor& branch, const Tensor& gamma, const Tensor& factors) const;
  Tensor qkv_bias() const;  // (3D)
  BlockShape shape(int64_t N) const;

  BlockOptions options_;
  Tensor gamma_1_, gamma_2_;  // (D) or undefined
  LayerNorm norm1_;
  Tensor q_bias_, v_bias_;  // (D) or undefined
  Linear qkv_, proj_;
  LayerNorm norm2_;
  Linear fc1_, fc2_;
};

}  // namespace simmim
