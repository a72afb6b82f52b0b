// What the passes of a fused block work on: tensors as the kernels' pointers, what is saved in between, and how many
// images go through at a time.
#pragma once
#include <array>

#include "kernels/cpu.h"
#include "layers/torch.h"

namespace simmim::fused {

using kernels::bf16;

template <class E>
constexpr at::ScalarType kType = at::kFloat;
template <>
constexpr at::ScalarType kType<double> = at::kDouble;
template <>
constexpr at::ScalarType kType<bf16> = at::kBFloat16;

template <class E>
E* data(const Tensor& tensor) {
  return tensor.defined() ? static_cast<E*>(tensor.data_ptr()) : nullptr;
}

// Work split over threads: f(kernel arguments, begin, end) for ranges of [0, count).
template <class Kernel, class Arguments>
void parallel(const Kernel& kernel, const Arguments& arguments, int64_t count, int64_t grain) {
  at::parallel_for(0, count, grain, [&](int64_t begin, int64_t end) { kernel(arguments, begin, end); });
}

// Widens the last axis to whole vectors of the attention kernels.
inline Tensor padded(const Tensor& tensor, double value) {
  std::vector<int64_t> shape = tensor.sizes().vec();
  const int64_t n = shape.back();
  shape.back() = kernels::attention_columns(n);
  Tensor out = at::full(shape, value, tensor.options());
  out.narrow(-1, 0, n).copy_(tensor);
  return out;
}

// What the forward pass leaves for the backward pass, in the order in which it is saved.
struct Saved {
  Tensor x, n1, mean1, rstd1, qkv, bias, mask, attended, softmax, projected, mixed, n2, mean2, rstd2, hidden, out;
  Tensor w_qkv, w_proj, w_fc1, w_fc2;  // as the matrix products take them

  template <class Self>
  static auto members(Self& s) {
    return std::array{&s.x,        &s.n1,      &s.mean1,     &s.rstd1,  &s.qkv,   &s.bias,  &s.mask,
                      &s.attended, &s.softmax, &s.projected, &s.mixed,  &s.n2,    &s.mean2, &s.rstd2,
                      &s.hidden,   &s.out,     &s.w_qkv,     &s.w_proj, &s.w_fc1, &s.w_fc2};
  }
};

// Images of L tokens that are taken through the whole block together, so that what lies between two products stays in
// the second cache level; all of them where not even one image fits, or where the weights, whose gradients are added up
// a chunk at a time, are larger than that: then the products want to be as large as possible.
inline int64_t images_per_chunk(int64_t B, int64_t L, int64_t D, int64_t image_bytes) {
  static const int64_t kCache = kernels::chunk_bytes();
  const int64_t threads = at::get_num_threads(), images = kCache / image_bytes;
  return images * L < 2 * D ? B : std::min(images, (B + threads - 1) / threads);
}

}  // namespace simmim::fused
