#include "layers/attention.h"

#include <cmath>

namespace simmim {

Tensor attention(const Tensor& qkv, const Tensor& bias, const Tensor& mask) {
  const int64_t S = qkv.size(0), N = qkv.size(1), D = qkv.size(2) / 3, H = bias.size(0), d = D / H;
  const std::vector<Tensor> parts = qkv.view({S, N, 3, H, d}).permute({2, 0, 3, 1, 4}).unbind(0);  // each (S,H,N,d)
  Tensor scores = at::matmul(parts[0] * (1 / std::sqrt(static_cast<double>(d))), parts[1].transpose(-2, -1)) + bias;
  if (mask.defined()) scores = (scores.view({-1, mask.size(0), H, N, N}) + mask.unsqueeze(1)).view({S, H, N, N});
  return at::matmul(at::softmax(scores, -1), parts[2]).transpose(1, 2).reshape({S, N, D});
}

}  // namespace simmim
