// Attention with a relative bias on a GPU. A block of threads has one sequence and head at a time, a warp 16 of its
// rows; scores stay in registers and are computed again wherever they are needed, 16x16 at a time, so that any N fits.
// Nothing is added up in an order that could change: each sum has one thread, and a group's sequences follow one
// another.
#pragma once
#include "cuda/attention_head.cuh"

namespace simmim::cuda {

using kernels::AttentionBackward;

constexpr int kMostWarps = 8;
constexpr int64_t kBiasInShared = 64;  // up to so many tokens the bias's gradient is added up in shared memory

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
  return (d == 16 || d == 32 || d == 64) && has_kernels() &&
         attention_shared_bytes<E>(N, d, true) <= shared_memory_limit();
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
