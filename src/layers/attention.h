// Multi-head self-attention with an additive bias.
#pragma once
#include "layers/torch.h"

namespace simmim {

// qkv (S,N,3D), rows q, k, v, each head-major; bias (H,N,N); mask (nW,N,N) or undefined, sequence s takes mask s % nW
// -> (S,N,D), softmax(q k^T / sqrt(D/H) + bias + mask) v.
// Written out: the fused operator of LibTorch falls back to this anyway where the bias is learned, and is slower in
// bf16.
Tensor attention(const Tensor& qkv, const Tensor& bias, const Tensor& mask);

// The same with cosines for products: softmax(scale cos(q,k) + bias + mask) v. log_scale (H,1,1), of which at most
// log(1/0.01) counts (Liu et al., CVPR 2022, section 3.2).
Tensor cosine_attention(const Tensor& qkv, const Tensor& log_scale, const Tensor& bias, const Tensor& mask);

}  // namespace simmim
