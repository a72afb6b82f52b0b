// Multi-head self-attention with an additive bias.
#pragma once
#include "layers/torch.h"

namespace simmim {

// qkv (S,N,3D), rows q, k, v, each head-major; bias (H,N,N); mask (nW,N,N) or undefined, sequence s takes mask s % nW
// -> (S,N,D), softmax(q k^T / sqrt(D/H) + bias + mask) v.
// Written out: the fused operator of LibTorch falls back to this anyway where the bias is learned, and is slower in
// bf16.
Tensor attention(const Tensor& qkv, const Tensor& bias, const Tensor& mask);

}  // namespace simmim
