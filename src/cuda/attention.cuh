// Attention with a relative bias on a GPU. A block of threads has one sequence and head at a time, a warp 16 of its
// rows; scores stay in registers and are computed again wherever they are needed, 16x16 at a time, so that any N fits.
// Nothing is added up in an order that could change: each sum has one thread, and a group's sequences follow one
// another.
#pragma once
#include "cuda/fragment.cuh"

namespace simmim::cuda {

using kernels::AttentionBackward;
using kernels::AttentionForward;

constexpr int kMostWarps = 8;
constexpr int64_t kBiasInShared = 64;  // up to so many tokens the bias's gradient is added up in shared memory

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

template <class E, int d>
__global__ void __launch_bounds__(32 * kMostWarps) attention_forward_kernel(AttentionForward<float, E> a) {
  const Head<E, d> head(a, blockIdx.x / a.H, blockIdx.x % a.H);
  const int N = head.N, D = head.D, columns = head.columns, steps = columns / 16;
  constexpr int stride = kStride<E, d>;
  E *k = reinterpret_cast<E*>(shared_memory()), *v = k + columns * stride;
  stage<E, d>(k, head.part(1), 3 * D, head.part_bias(1), N, columns);
  stage<E, d>(v, head.part(2), 3 * D, head.part_bias(2), N, columns);
  __syncthreads();
  for (int tile = static_cast<int>(threadIdx.x / 32); tile < steps; tile += static_cast<int>(blockDim.x / 32)) {
    const int row = 16 * tile;
    Left<E> q[d / 16];
    load_left<E, d>(q, head.part(0), 3 * D, head.part_bias(0), row, N);
    float top[2] = {kernels::kHidden<float>, kernels::kHidden<float>}, c[2][4];
    for (int step = 0; step < steps; ++step) {
      times_transposed<E, d>(c, q, k + 16 * step * stride);
      head.score(c, row, 16 * step);
      for (int i = 0; i < 4; ++i) top[i / 2] = fmaxf(top[i / 2], fmaxf(c[0][i], c[1][i]));
    }
    for (float& t : top) t = row_max(t);
    float sum[2] = {}, out[d / 8][4] = {};
    for (int step = 0; step < steps; ++step) {
      times_transposed<E, d>(c, q, k + 16 * step * stride);
      head.score(c, row, 16 * step);
      for (auto& part : c)
        for (int i = 0; i < 4; ++i) sum[i / 2] += part[i] = exponential<E>(part[i] - top[i / 2]);
      add_product<E, d>(out, c, v + 16 * step * stride);
    }
    for (float& s : sum) s = row_sum(s);
    store_rows<E, d>(a.out + head.s * N * D + head.h * d, D, out, 1 / sum[0], 1 / sum[1], row, N);
    for (int half = 0; half < 2; ++half) {
      const int r = row + own_g() + 8 * half;
      if (own_t() == 0 && r < N) a.softmax[(head.s * a.H + head.h) * N + r] = top[half] + logf(sum[half]);
    }
  }
}

// With P the probabilities, dP = dO v^T and dS = P * (dP - rowsum(P * dP)): dq = dS k and the bias's gradient, by
// queries; then dk = dS^T q and dv = P^T dO, by keys.
template <class E, int d>
__global__ void __launch_bounds__(32 * kMostWarps)
    attention_backward_kernel(AttentionBackward<float, E> b, int64_t groups) {
  const AttentionForward<float, E>& a = b.forward;
  constexpr int stride = kStride<E, d>;
  const int64_t h = blockIdx.x % a.H, group = blockIdx.x / a.H;
  const int N = static_cast<int>(a.N), columns = (N + 15) / 16 * 16, steps = columns / 16;
  const int thread = static_cast<int>(threadIdx.x), threads = static_cast<int>(blockDim.x), warp = thread / 32;
  E *first = reinterpret_cast<E*>(shared_memory()), *second = first + columns * stride;
  float* lse = reinterpret_cast<float*>(second + columns * stride);  // (columns)
  float* dot = lse + columns;                                        // (columns): rowsum(P * dP)
  float* column_sums = dot + columns;                                // (warps,3,d)
  float* to_bias = b.d_bias + (group * a.H + h) * N * columns;       // (N,columns)
  float* bias_sums = N <= kBiasInShared ? column_sums + threads / 32 * 3 * d : to_bias;
  for (int i = thread; i < threads / 32 * 3 * d; i += threads) column_sums[i] = 0;
  if (bias_sums != to_bias)
    for (int i = thread; i < N * columns; i += threads) bias_sums[i] = 0;
  float* own_sums = column_sums + warp * 3 * d;

  for (int64_t s = group * a.sequences / groups; s < (group + 1) * a.sequences / groups; ++s) {
    const Head<E, d> head(a, s, h);
    const int D = head.D;
    const E* d_out = b.d_out + s * N * D + h * d;
    E* d_qkv = b.d_qkv + s * N * 3 * D + h * d;
    __syncthreads();
    stage<E, d>(first, head.part(1), 3 * D, head.part_bias(1), N, columns);
    stage<E, d>(second, head.part(2), 3 * D, head.part_bias(2), N, columns);
    for (int i = thread; i < columns; i += threads)  // a query beyond N has no probability
      lse[i] = i < N ? a.softmax[(s * a.H + h) * N + i] : -kernels::kHidden<float>;
    __syncthreads();
    for (int tile = warp; tile < steps; tile += threads / 32) {
      const int row = 16 * tile;
      Left<E> q[d / 16], g[d / 16];
      load_left<E, d>(q, head.part(0), 3 * D, head.part_bias(0), row, N);
      load_left<E, d>(g, d_out, D, nullptr, row, N);
      float p[2][4], dp[2][4], dots[2] = {}, dq[d / 8][4] = {};
      const auto probabilities = [&](int step) {
        times_transposed<E, d>(p, q, first + 16 * step * stride);
        head.score(p, row, 16 * step);
        for (auto& part : p)
          for (int i = 0; i < 4; ++i) part[i] = exponential<E>(part[i] - lse[row + head.row_of(i)]);
        times_transposed<E, d>(dp, g, second + 16 * step * stride);
      };
      for (int step = 0; step < steps; ++step) {
        probabilities(step);
        for (int k = 0; k < 2; ++k)
          for (int i = 0; i < 4; ++i) dots[i / 2] += p[k][i] * dp[k][i];
      }
      for (float& x : dots) x = row_sum(x);
      if (own_t() == 0) {
        dot[row + own_g()] = dots[0];
        dot[row + own_g() + 8] = dots[1];
      }
      for (int step = 0; step < steps; ++step) {
        probabilities(step);
        for (int k = 0; k < 2; ++k)
          for (int i = 0; i < 4; ++i) {
            p[k][i] *= dp[k][i] - dots[i / 2];
            const int query = row + head.row_of(i);
            if (query < N) bias_sums[query * columns + 16 * step + head.column_of(k, i)] += p[k][i];
          }
        add_product<E, d>(dq, p, first + 16 * step * stride);
      }
      store_rows<E, d>(d_qkv, 3 * D, dq, head.scale, head.scale, row, N);
      add_column_sums<d>(own_sums, dq, head.scale);
    }

    __syncthreads();
    stage<E, d>(first, head.part(0), 3 * D, head.part_bias(0), N, columns);
    stage<E, d>(second, d_out, D, nullptr, N, columns);
    __syncthreads();
    for (int tile = warp; tile < steps; tile += threads / 32) {
      const int row = 16 * tile;
      Left<E> k[d / 16], v[d / 16];
      load_left<E, d>(k, head.part(1), 3 * D, head.part_bias(1), row, N);
      load_left<E, d>(v, head.part(2), 3 * D, head.part_bias(2), row, N);
      float p[2][4], dp[2][4], dk[d / 8][4] = {}, dv[d / 8][4] = {};
      for (int step = 0; step < steps; ++step) {
        times_transposed<E, d>(p, k, first + 16 * step * stride);
        head.score_transposed(p, 16 * step, row);
        times_transposed<E, d>(dp, v, second + 16 * step * stride);
        for (int n = 0; n < 2; ++n)
          for (int i = 0; i < 4; ++i) {
            const int query = 16 * step + head.column_of(n, i);
            p[n][i] = exponential<E>(p[n][i] - lse[query]);
            dp[n][i] = p[n][i] * (dp[n][i] - dot[query]);
          }
        add_product<E, d>(dv, p, second + 16 * step * stride);
        add_product<E, d>(dk, dp, first + 16 * step * stride);
      }
      store_rows<E, d>(d_qkv + D, 3 * D, dk, head.scale, head.scale, row, N);
      store_rows<E, d>(d_qkv + 2 * D, 3 * D, dv, 1, 1, row, N);
      add_column_sums<d>(own_sums + d, dk, head.scale);
      add_column_sums<d>(own_sums + 2 * d, dv, 1);
    }
  }

  __syncthreads();
  for (int i = thread; i < 3 * d; i += threads) {  // i: (which,d)
    float sum = 0;
    for (int w = 0; w < threads / 32; ++w) sum += column_sums[w * 3 * d + i];
    b.d_qkv_bias[(group * 3 + i / d) * a.H * d + h * d + i % d] += sum;
  }
  if (bias_sums != to_bias)
    for (int i = thread; i < N * columns; i += threads) to_bias[i] += bias_sums[i];
}

// Warps of a block: as few rounds over the tiles as may be, evenly filled.
inline int64_t attention_warps(int64_t N) {
  const int64_t tiles = (N + 15) / 16, rounds = (tiles + kMostWarps - 1) / kMostWarps;
  return (tiles + rounds - 1) / rounds;
}

// Two parts of a head in rows of kStride; in the backward pass also sums and the bias's gradient.
template <class E>
int64_t attention_shared_bytes(int64_t N, int64_t d, bool backward) {
  const int64_t columns = (N + 15) / 16 * 16, parts = 2 * columns * (d * static_cast<int64_t>(sizeof(E)) + 16);
  if (!backward) return parts;
  return parts + 4 * (2 * columns + attention_warps(N) * 3 * d + (N <= kBiasInShared ? N * columns : 0));
}

// Enough groups for a GPU's processors, from the shape alone: results do not depend on the card.
inline int64_t attention_groups(int64_t sequences, int64_t H) {
  const int64_t groups = (1024 + H - 1) / H;
  return groups < sequences ? groups : sequences;
}

template <class E>
bool attention_takes(int64_t N, int64_t d) {
  return (d == 16 || d == 32 || d == 64) && attention_shared_bytes<E>(N, d, true) <= shared_memory_limit();
}

template <int d>
struct Width {};

// f(width) with the head's width as a constant.
template <class F>
void with_width(int64_t d, const F& f) {
  if (d == 16) f(Width<16>{});
  if (d == 32) f(Width<32>{});
  if (d == 64) f(Width<64>{});
}

template <class E>
void attention_forward(const AttentionForward<float, E>& a, int64_t, int64_t) {
  with_width(a.d, [&]<int d>(Width<d>) {
    launch(attention_forward_kernel<E, d>, a.sequences * a.H, static_cast<int>(32 * attention_warps(a.N)),
           attention_shared_bytes<E>(a.N, d, false), a);
  });
}
template <class E>
void attention_backward(const AttentionBackward<float, E>& b, int64_t, int64_t items) {
  with_width(b.forward.d, [&]<int d>(Width<d>) {
    launch(attention_backward_kernel<E, d>, items, static_cast<int>(32 * attention_warps(b.forward.N)),
           attention_shared_bytes<E>(b.forward.N, d, true), b, items / b.forward.H);
  });
}

}  // namespace simmim::cuda
