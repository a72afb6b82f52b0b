#include "layers/attention.h"

#include <cmath>

namespace simmim {
namespace {

// qkv (S,N,3D) -> q, k, v, each (S,H,N,d)
std::vector<Tensor> split_heads(const Tensor& qkv, int64_t H) {
  const int64_t S = qkv.size(0), N = qkv.size(1), D = qkv.size(2) / 3;
  return qkv.view({S, N, 3, H, D / H}).permute({2, 0, 3, 1, 4}).unbind(0);
}

// scores (S,H,N,N) with the bias, values (S,H,N,d) -> (S,N,D)
Tensor attend(Tensor scores, const Tensor& values, const Tensor& mask) {
  const int64_t S = values.size(0), H = values.size(1), N = values.size(2), D = H * values.size(3);
  if (mask.defined()) scores = (scores.view({-1, mask.size(0), H, N, N}) + mask.unsqueeze(1)).view({S, H, N, N});
  return at::matmul(at::softmax(scores, -1), values).transpose(1, 2).reshape({S, N, D});
}

// x (...,d) -> the unit vector along it, in f32 at least
Tensor unit(const Tensor& x) {
  const at::ScalarType type = c10::promoteTypes(x.scalar_type(), at::kFloat);
  return x / at::linalg_vector_norm(x, 2, {-1}, true, type).clamp_min(1e-12);
}

}  // namespace

Tensor attention(const Tensor& qkv, const Tensor& bias, const Tensor& mask) {
  const std::vector<Tensor> parts = split_heads(qkv, bias.size(0));
  const double scale = 1 / std::sqrt(static_cast<double>(parts[0].size(3)));
  return attend(at::matmul(parts[0] * scale, parts[1].transpose(-2, -1)) + bias, parts[2], mask);
}

Tensor cosine_attention(const Tensor& qkv, const Tensor& log_scale, const Tensor& bias, const Tensor& mask) {
  const std::vector<Tensor> parts = split_heads(qkv, bias.size(0));
  const Tensor cosines = at::matmul(unit(parts[0]), unit(parts[1]).transpose(-2, -1));
  return attend(cosines * log_scale.clamp_max(std::log(100.)).exp() + bias, parts[2], mask);
}

}  // namespace simmim
