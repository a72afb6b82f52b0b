// What a warp does with one head of one sequence in attention: reading its rows, adding bias and mask to its scores,
// writing its rows, sums over them.
#pragma once
#include "cuda/fragment.cuh"

namespace simmim::cuda {

using kernels::AttentionForward;

struct alignas(8) Two {
  float x, y;
};
__device__ inline Two load2(const float* from) { return *reinterpret_cast<const Two*>(from); }

// One sequence and head.
template <class E, int d>
struct Head {
  const AttentionForward<float, E>& a;
  int64_t s, h;
  int N, D, columns;  // columns: N in whole steps of 16, the width of bias and mask
  float scale;

  __device__ Head(const AttentionForward<float, E>& a_, int64_t s_, int64_t h_)
      : a(a_),
        s(s_),
        h(h_),
        N(static_cast<int>(a.N)),
        D(static_cast<int>(a.H) * d),
        columns((N + 15) / 16 * 16),
        scale(1 / sqrtf(static_cast<float>(d))) {}

  // which: 0 q, 1 k, 2 v; rows 3 D apart.
  __device__ const E* part(int which) const { return a.qkv + s * N * 3 * D + which * D + h * d; }
  __device__ const float* part_bias(int which) const { return a.qkv_bias + which * D + h * d; }
  __device__ const float* bias(int query) const { return a.bias + (h * N + query) * columns; }
  __device__ const float* mask(int query) const {
    return a.mask ? a.mask + (s % a.windows * N + query) * columns : nullptr;
  }

  // The row and column, within a 16x16 step, of a lane's i-th number of a tile.
  __device__ static int row_of(int i) { return own_g() + i / 2 * 8; }
  __device__ static int column_of(int tile, int i) { return 8 * tile + own_t() + i % 2; }

  // Products q k -> scores; `query` and `key` of the step's corner. Rows are queries.
  __device__ void score(float (&c)[2][4], int query, int key) const {
    for (int i = 0; i < 4; i += 2) {
      const int q = smaller(query + row_of(i), N - 1);  // what is beyond is not used
      const float *b = bias(q), *m = mask(q);
      for (int tile = 0; tile < 2; ++tile) {
        const int k = key + column_of(tile, i);
        const Two added = load2(b + k), hidden = m ? load2(m + k) : Two{};
        c[tile][i] = c[tile][i] * scale + added.x + hidden.x;
        c[tile][i + 1] = c[tile][i + 1] * scale + added.y + hidden.y;
      }
    }
  }
  // The same where rows are keys.
  __device__ void score_transposed(float (&c)[2][4], int query, int key) const {
    for (int tile = 0; tile < 2; ++tile)
      for (int i = 0; i < 4; ++i) {
        const int q = smaller(query + column_of(tile, i), N - 1), k = key + row_of(i);
        const float *b = bias(q), *m = mask(q);
        c[tile][i] = c[tile][i] * scale + b[k] + (m ? m[k] : 0);
      }
  }
};

template <class E>
__device__ float exponential(float x) {
  return sizeof(E) == 2 ? fast_exp(x) : expf(x);
}

// Sum and maximum over the four lanes that share a row.
__device__ inline float row_sum(float x) {
  x += shuffle_xor(x, 1);
  return x + shuffle_xor(x, 2);
}
__device__ inline float row_max(float x) {
  x = fmaxf(x, shuffle_xor(x, 1));
  return fmaxf(x, shuffle_xor(x, 2));
}

// A head's N rows, `bias` added, -> shared memory; zeros up to `rows`.
template <class E, int d>
__device__ void stage(E* to, const E* from, int64_t stride, const float* bias, int N, int rows) {
  for (int i = static_cast<int>(threadIdx.x); i < rows * (d / 4); i += static_cast<int>(blockDim.x)) {
    const int row = i / (d / 4), c = i % (d / 4) * 4;
    Four v = {};
    if (row < N) {
      v = load4(from + row * stride + c);
      if (bias) {
        const Four b = load4(bias + c);
        for (int k = 0; k < 4; ++k) v[k] += b[k];
      }
    }
    store4(to + row * kStride<E, d> + c, v);
  }
}

__device__ inline float number(float x) { return x; }
__device__ inline float number(bf16 x) { return float_of_bits(uint32_t{x.bits} << 16); }

// 16 of a head's rows from `row` on, `bias` added, as a left factor.
template <class E, int d>
__device__ void load_left(Left<E> (&a)[d / 16], const E* from, int64_t stride, const float* bias, int row, int N) {
#pragma unroll
  for (int k = 0; k < d / 16; ++k)
#pragma unroll
    for (int pair = 0; pair < 4; ++pair) {
      const int r = row + own_g() + pair % 2 * 8, c = 16 * k + own_t() + pair / 2 * 8;
      float x = 0, y = 0;
      if (r < N) {
        x = number(from[r * stride + c]) + (bias ? bias[c] : 0);
        y = number(from[r * stride + c + 1]) + (bias ? bias[c + 1] : 0);
      }
      a[k].set(pair, x, y);
    }
}

__device__ inline void store2(float* to, float x, float y) {
  to[0] = x;
  to[1] = y;
}
__device__ inline void store2(bf16* to, float x, float y) { *reinterpret_cast<uint32_t*>(to) = pack(x, y); }

// x times the factors of the rows g and g + 8 -> a head's rows from `row` on.
template <class E, int d>
__device__ void store_rows(E* to, int64_t stride, const float (&x)[d / 8][4], float factor, float factor_8, int row,
                           int N) {
  for (int half = 0; half < 2; ++half) {
    const int r = row + own_g() + 8 * half;
    if (r >= N) continue;
    const float by = half ? factor_8 : factor;
    for (int n = 0; n < d / 8; ++n)
      store2(to + r * stride + 8 * n + own_t(), x[n][2 * half] * by, x[n][2 * half + 1] * by);
  }
}

// The sums of the columns of x times `factor` are added to sums[d], which is the warp's own.
template <int d>
__device__ void add_column_sums(float* sums, const float (&x)[d / 8][4], float factor) {
#pragma unroll
  for (int n = 0; n < d / 8; ++n)
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      float sum = x[n][i] + x[n][i + 2];
      for (int mask = 4; mask < 32; mask *= 2) sum += shuffle_xor(sum, mask);
      if (own_g() == 0) sums[8 * n + own_t() + i] += sum * factor;
    }
}

}  // namespace simmim::cuda
