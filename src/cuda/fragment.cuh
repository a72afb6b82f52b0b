// Products of small matrices by a warp on the tensor cores, for bf16 and, to nearly the last digit, for float: there
// each factor is split into two tf32 numbers, and the product of the two small ones is left out (Ootomo and Yokota,
// 2022).
//
// A Left holds 16x16 numbers, a Right 16x8, a sum float[4] 16x8, spread over the lanes in pairs of neighbours along the
// axis that is summed up. With g = lane / 4 and t = 2 * (lane % 4), the lane holds of
//   Left:  pair 0 (g, t), 1 (g + 8, t), 2 (g, t + 8), 3 (g + 8, t + 8), as (row, first of two columns)
//   Right: pair 0 (t, g), 1 (t + 8, g), as (first of two rows, column)
//   sum:   [0, 1] (g, t), [2, 3] (g + 8, t), as (row, first of two columns)
// so two sums beside each other are, number by number, the Left of the next product.
#pragma once
#include "cuda/device.cuh"

namespace simmim::cuda {

template <class E, int kPairs>
struct Fragment;

template <int kPairs>
struct Fragment<bf16, kPairs> {
  uint32_t r[kPairs];
  __device__ void set(int pair, float first, float second) { r[pair] = pack(first, second); }
  __device__ void load(int pair, const bf16* two) { r[pair] = *reinterpret_cast<const uint32_t*>(two); }
};

template <int kPairs>
struct Fragment<float, kPairs> {
  float r[2 * kPairs];
  __device__ void set(int pair, float first, float second) {
    r[2 * pair] = first;
    r[2 * pair + 1] = second;
  }
  __device__ void load(int pair, const float* two) { set(pair, two[0], two[1]); }
};

template <class E>
using Left = Fragment<E, 4>;
template <class E>
using Right = Fragment<E, 2>;

__device__ inline int own_g() { return static_cast<int>(threadIdx.x % 32 / 4); }
__device__ inline int own_t() { return static_cast<int>(threadIdx.x % 4 * 2); }

// c += a b
__device__ inline void multiply(float (&c)[4], const Left<bf16>& a, const Right<bf16>& b) { mma_bf16(c, a.r, b.r); }

__device__ inline void multiply(float (&c)[4], const Left<float>& a, const Right<float>& b) {
  // PTX's k-th and (k+4)-th column are our 2k-th and (2k+1)-th: the order of the summed axis is free.
  for (int half = 0; half < 2; ++half) {
    const float *x = a.r + 4 * half, *y = b.r + 2 * half;
    const float left[4] = {x[0], x[2], x[1], x[3]};
    float a_high[4], a_low[4], b_high[2], b_low[2];
    for (int i = 0; i < 4; ++i) {
      a_high[i] = to_tf32(left[i]);
      a_low[i] = to_tf32(left[i] - a_high[i]);
    }
    for (int i = 0; i < 2; ++i) {
      b_high[i] = to_tf32(y[i]);
      b_low[i] = to_tf32(y[i] - b_high[i]);
    }
    mma_tf32(c, a_low, b_high);
    mma_tf32(c, a_high, b_low);
    mma_tf32(c, a_high, b_high);
  }
}

// Rows of d numbers in shared memory lie this far apart, so that a warp's reads meet different banks.
template <class E, int d>
constexpr int kStride = d + 16 / static_cast<int>(sizeof(E));

// The Right whose column n is the row n of `rows` (8 rows, shared memory), columns [0, 16).
template <class E, int stride>
__device__ void load_rows_as_columns(Right<E>& b, const E* rows) {
  const E* row = rows + own_g() * stride + own_t();
  b.load(0, row);
  b.load(1, row + 8);
}

// The Right that lies in shared memory as it is: 16 rows, columns [0, 8).
template <class E, int stride>
__device__ void load_as_it_lies(Right<E>& b, const E* rows) {
  if constexpr (sizeof(E) == 2) {
    load_transposed(b.r, rows + threadIdx.x % 16 * stride);
  } else {
    for (int pair = 0; pair < 2; ++pair) {
      const E* first = rows + (own_t() + 8 * pair) * stride + own_g();
      b.set(pair, first[0], first[stride]);
    }
  }
}

// c (16x16) = a (16xd) times the transpose of 16 rows of d numbers in shared memory.
template <class E, int d>
__device__ void times_transposed(float (&c)[2][4], const Left<E> (&a)[d / 16], const E* rows) {
  constexpr int stride = kStride<E, d>;
#pragma unroll
  for (int tile = 0; tile < 2; ++tile) {
    for (int i = 0; i < 4; ++i) c[tile][i] = 0;
#pragma unroll
    for (int k = 0; k < d / 16; ++k) {
      Right<E> b;
      load_rows_as_columns<E, stride>(b, rows + 8 * tile * stride + 16 * k);
      multiply(c[tile], a[k], b);
    }
  }
}

// out (16xd) += c (16x16, rounded to E) times 16 rows of d numbers in shared memory.
template <class E, int d>
__device__ void add_product(float (&out)[d / 8][4], const float (&c)[2][4], const E* rows) {
  Left<E> a;
  for (int tile = 0; tile < 2; ++tile) {
    a.set(2 * tile, c[tile][0], c[tile][1]);
    a.set(2 * tile + 1, c[tile][2], c[tile][3]);
  }
#pragma unroll
  for (int n = 0; n < d / 8; ++n) {
    Right<E> b;
    load_as_it_lies<E, kStride<E, d>>(b, rows + 8 * n);
    multiply(out[n], a, b);
  }
}

}  // namespace simmim::cuda
