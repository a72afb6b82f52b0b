// Kernels for GPUs beside their CPU twins: numbers to put in, and the distance of what comes out.
#pragma once
#include <gtest/gtest.h>

#include "cuda/on_host.h"
#include "kernels/cpu.h"

namespace simmim::cuda {

using kernels::bf16;

inline float number_of(float x) { return x; }
inline float number_of(bf16 x) { return float_of_bits(uint32_t{x.bits} << 16); }

template <class E>
using Numbers = std::vector<E>;

template <class E>
Numbers<E> waves(int64_t count, double step, double size = 1) {
  Numbers<E> out(static_cast<size_t>(count));
  for (size_t i = 0; i < out.size(); ++i) {
    const auto value = static_cast<float>(size * std::sin(step * static_cast<double>(i + 1)));
    if constexpr (sizeof(E) == 2)
      out[i].bits = static_cast<uint16_t>(to_bf16(value));
    else
      out[i] = value;
  }
  return out;
}

// Memory that a kernel has to fill: NaN until then.
template <class E>
Numbers<E> unset(int64_t count) {
  Numbers<E> out(static_cast<size_t>(count));
  std::memset(out.data(), 0xff, out.size() * sizeof(E));
  return out;
}

// Largest difference over the largest value, or over `size` where that is more; NaN where one of the two has one.
template <class E>
double distance(const Numbers<E>& got, const Numbers<E>& wanted, double size = 1e-30) {
  double most = 0;
  for (size_t i = 0; i < wanted.size(); ++i) {
    const double g = number_of(got[i]), w = number_of(wanted[i]);
    if (std::isnan(g) || std::isnan(w)) return std::nan("");
    most = std::max(most, std::abs(g - w));
    size = std::max(size, std::abs(w));
  }
  return most / size;
}

// Sums over the blocks of sums[block][width].
inline Numbers<float> total(const Numbers<float>& sums, int64_t width) {
  Numbers<float> out(static_cast<size_t>(width));
  for (size_t i = 0; i < sums.size(); ++i) out[i % out.size()] += sums[i];
  return out;
}

// What a result may differ by: sums in float have another order, a bf16 result one other last digit.
template <class E>
constexpr double kRounding = sizeof(E) == 2 ? 1.0 / 256 : 1e-6;

// The CPU's kernels; a processor without AVX2 has none.
template <class E>
const kernels::Operations<float, E>& twin() {
  return *kernels::operations<float, E>();
}

}  // namespace simmim::cuda
