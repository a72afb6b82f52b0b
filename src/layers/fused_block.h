// A transformer block as one node of the autograd graph: matrix products by LibTorch, everything between
// them in single passes over the rows (kernels/cpu.h), gradients written out. The same numbers as Block::plain up to
// rounding, in half the time at small widths, where a block is bound by memory and not by its products.
#pragma once
#include "layers/window.h"

namespace simmim {

struct BlockWeights {
  Tensor norm1_weight, norm1_bias, qkv_weight, qkv_bias, proj_weight, proj_bias, gamma_1;
  Tensor norm2_weight, norm2_bias, fc1_weight, fc1_bias, fc2_weight, fc2_bias, gamma_2;  // gammas may be undefined
};

struct BlockCall {
  double eps = 1e-5;
  const Windows* windows = nullptr;
  Tensor factors_1, factors_2;  // (B) of drop path, or undefined
  bool bf16 = false;            // operands of the matrix products
};

struct BlockShape {
  int64_t N, D, H, hidden;  // tokens that attend to one another, width, heads, the MLP's width
};

// Whether a device takes such blocks; autocast: operands of the matrix products in bf16.
bool can_fuse(const BlockShape& shape, at::Device device, at::ScalarType dtype, bool autocast);

// x (B,L,D) f32 or f64, bias (H,N,N) -> (B,L,D); see Block::forward.
Tensor fused_block(const Tensor& x, const Tensor& bias, const BlockWeights& weights, const BlockCall& call);

}  // namespace simmim
