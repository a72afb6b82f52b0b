// The passes over rows of kernels/cpu.h on a GPU: a warp a row where a row is summed up, a block of threads a block of
// rows where columns are. Four columns a thread: D is a multiple of 4, rows start at multiples of 16 bytes.
#pragma once
#include "cuda/device.cuh"

namespace simmim::cuda {

using kernels::GeluBackward;
using kernels::GeluForward;
using kernels::NormBackward;
using kernels::NormForward;
using kernels::ResidualBackward;
using kernels::ResidualForward;

constexpr int kThreads = 256, kWarps = kThreads / 32;
constexpr int64_t kRowBlock = 16;  // rows whose column sums are kept together: small, for there are many processors
constexpr int64_t kGeluRows = 4;   // a block

__device__ inline int lane() { return static_cast<int>(threadIdx.x % 32); }
__device__ inline int64_t own_row() { return int64_t{blockIdx.x} * kWarps + threadIdx.x / 32; }  // a warp a row

__device__ inline int64_t permuted(const int64_t* order, int64_t r, int64_t L) {
  return order ? r / L * L + order[r % L] : r;
}

// f(column) for every fourth column of a row, by one warp.
template <class F>
__device__ void for_columns(int64_t D, const F& f) {
  for (int64_t c = 4 * lane(); c < D; c += 128) f(c);
}

template <class E>
__device__ void norm_row(const NormForward<float, E>& a, const float* x, int64_t D, E* out, int64_t row) {
  float sum = 0, squares = 0;
  for_columns(D, [&](int64_t c) {
    const Four v = load4(x + c);
    sum += v[0] + v[1] + v[2] + v[3];
  });
  const float mean = warp_sum(sum) / static_cast<float>(D);
  for_columns(D, [&](int64_t c) {
    const Four v = load4(x + c);
    for (int i = 0; i < 4; ++i) squares += (v[i] - mean) * (v[i] - mean);
  });
  const float rstd = 1 / sqrtf(warp_sum(squares) / static_cast<float>(D) + a.eps);
  for_columns(D, [&](int64_t c) {
    const Four v = load4(x + c), weight = load4(a.weight + c), bias = load4(a.bias + c);
    Four y;
    for (int i = 0; i < 4; ++i) y[i] = (v[i] - mean) * rstd * weight[i] + bias[i];
    store4(out + c, y);
  });
  if (lane() == 0) {
    a.mean[row] = mean;
    a.rstd[row] = rstd;
  }
}

template <class E>
__global__ void __launch_bounds__(kThreads) norm_forward_kernel(NormForward<float, E> a, int64_t rows) {
  const int64_t r = own_row();
  if (r >= rows) return;
  const int64_t s = permuted(a.order, r, a.L);
  norm_row(a, a.x + s * a.D, a.D, a.out + r * a.D, s);
}

template <class E>
__global__ void __launch_bounds__(kThreads) residual_forward_kernel(ResidualForward<float, E> a, int64_t rows) {
  const int64_t s = own_row(), D = a.D;
  if (s >= rows) return;
  const float* x = a.x + s * D;
  const E* branch = a.branch + permuted(a.inverse, s, a.L) * D;
  const float factor = a.factor ? a.factor[s / a.L] : 1;
  float* y = a.y + s * D;
  for_columns(D, [&](int64_t c) {
    Four v = load4(x + c);
    const Four b = load4(branch + c), bias = load4(a.bias + c);
    const Four gamma = a.gamma ? load4(a.gamma + c) : Four{1, 1, 1, 1};
    for (int i = 0; i < 4; ++i) v[i] += (b[i] + bias[i]) * gamma[i] * factor;
    store4(y + c, v);
  });
  if (a.norm.out) norm_row(a.norm, y, D, a.norm.out + s * D, s);  // a lane reads the columns that it wrote
}

// f(row, column, sums) for the rows of this block and every fourth column, then sums -> to[block][which][D]. Groups of
// threads share the rows; their sums are added up in the order of the groups.
template <int kWhich, class F>
__device__ void sum_columns(int64_t rows, int64_t D, float* to, const F& f) {
  __shared__ Four parts[kWhich][kThreads];
  const int64_t first = int64_t{blockIdx.x} * kRowBlock, end = smaller(rows, first + kRowBlock);
  const int quads = static_cast<int>(D / 4), thread = static_cast<int>(threadIdx.x);
  for (int start = 0; start < quads; start += kThreads) {
    const int width = smaller(quads - start, kThreads), groups = kThreads / width, group = thread / width;
    const int64_t c = 4 * int64_t{start + thread % width};
    Four sums[kWhich] = {};
    if (group < groups)
      for (int64_t r = first + group; r < end; r += groups) f(r, c, sums);
    for (int w = 0; w < kWhich; ++w) parts[w][thread] = sums[w];
    __syncthreads();
    if (group == 0)
      for (int w = 0; w < kWhich; ++w) {
        for (int g = 1; g < groups; ++g)
          for (int i = 0; i < 4; ++i) sums[w][i] += parts[w][g * width + thread][i];
        store4(to + (int64_t{blockIdx.x} * kWhich + w) * D + c, sums[w]);
      }
    __syncthreads();
  }
}

template <class E>
__global__ void __launch_bounds__(kThreads) norm_backward_kernel(NormBackward<float, E> a) {
  __shared__ float means[kRowBlock][2];  // of g = d_out * weight, and of g * xhat
  const int64_t D = a.D, first = int64_t{blockIdx.x} * kRowBlock, end = smaller(a.rows, first + kRowBlock);
  for (int64_t s = first + threadIdx.x / 32; s < end; s += kWarps) {
    const float *x = a.x + s * D, mean = a.mean[s], rstd = a.rstd[s];
    const E* d_out = a.d_out + permuted(a.inverse, s, a.L) * D;
    float g_sum = 0, gx_sum = 0;
    for_columns(D, [&](int64_t c) {
      const Four d = load4(d_out + c), v = load4(x + c), weight = load4(a.weight + c);
      for (int i = 0; i < 4; ++i) {
        g_sum += d[i] * weight[i];
        gx_sum += d[i] * weight[i] * ((v[i] - mean) * rstd);
      }
    });
    g_sum = warp_sum(g_sum);
    gx_sum = warp_sum(gx_sum);
    if (lane() == 0) {
      means[s - first][0] = g_sum / static_cast<float>(D);
      means[s - first][1] = gx_sum / static_cast<float>(D);
    }
  }
  __syncthreads();
  sum_columns<2>(a.rows, D, a.sums, [&](int64_t s, int64_t c, Four* sums) {
    const float mean = a.mean[s], rstd = a.rstd[s], g_mean = means[s - first][0], gx_mean = means[s - first][1];
    const Four d = load4(a.d_out + permuted(a.inverse, s, a.L) * D + c), v = load4(a.x + s * D + c);
    const Four weight = load4(a.weight + c);
    Four dx = load4(a.residual + s * D + c);
    for (int i = 0; i < 4; ++i) {
      const float xhat = (v[i] - mean) * rstd;
      sums[0][i] += d[i] * xhat;
      sums[1][i] += d[i];
      dx[i] += rstd * (d[i] * weight[i] - g_mean - xhat * gx_mean);
    }
    store4(a.dx + s * D + c, dx);
  });
}

template <class E>
__global__ void __launch_bounds__(kThreads) residual_backward_kernel(ResidualBackward<float, E> a) {
  const int64_t D = a.D;
  sum_columns<2>(a.rows, D, a.sums, [&](int64_t s, int64_t c, Four* sums) {
    const int64_t r = permuted(a.inverse, s, a.L);
    const float factor = a.factor ? a.factor[s / a.L] : 1;
    Four d = load4(a.dy + s * D + c);
    for (int i = 0; i < 4; ++i) d[i] *= factor;
    if (a.gamma) {
      const Four b = load4(a.branch + r * D + c), bias = load4(a.bias + c), gamma = load4(a.gamma + c);
      for (int i = 0; i < 4; ++i) {
        sums[0][i] += d[i] * (b[i] + bias[i]);
        d[i] *= gamma[i];
      }
    }
    for (int i = 0; i < 4; ++i) sums[1][i] += d[i];
    store4(a.d_branch + r * D + c, d);
  });
}

__device__ inline float normal_cdf(float x) { return 0.5f * (1 + erff(x * 0.70710678f)); }

template <class E>
__global__ void __launch_bounds__(kThreads / 2) gelu_forward_kernel(GeluForward<float, E> a) {
  const int64_t first = int64_t{blockIdx.x} * kGeluRows, end = smaller(a.rows, first + kGeluRows);
  for (int64_t c = 4 * int64_t{threadIdx.x}; c < a.D; c += 4 * (kThreads / 2)) {
    const Four bias = load4(a.bias + c);
    for (int64_t r = first; r < end; ++r) {
      Four v = load4(a.h + r * a.D + c);
      for (int i = 0; i < 4; ++i) {
        v[i] += bias[i];
        v[i] *= normal_cdf(v[i]);
      }
      store4(a.out + r * a.D + c, v);
    }
  }
}

template <class E>
__global__ void __launch_bounds__(kThreads) gelu_backward_kernel(GeluBackward<float, E> a) {
  sum_columns<1>(a.rows, a.D, a.sums, [&](int64_t r, int64_t c, Four* sums) {
    const Four h = load4(a.h + r * a.D + c), bias = load4(a.bias + c);
    Four d = load4(a.d_out + r * a.D + c), out;
    for (int i = 0; i < 4; ++i) {
      const float v = h[i] + bias[i], cdf = normal_cdf(v);
      out[i] = v * cdf;
      d[i] *= cdf + v * expf(-0.5f * v * v) * 0.39894228f;
      sums[0][i] += d[i];
    }
    store4(a.out + r * a.D + c, out);
    store4(a.dh + r * a.D + c, d);
  });
}

// Launchers, as kernels::Operations has them; they take all items at once, [0, count).
template <class E>
void norm_forward(const NormForward<float, E>& a, int64_t, int64_t rows) {
  launch(norm_forward_kernel<E>, (rows + kWarps - 1) / kWarps, kThreads, 0, a, rows);
}
template <class E>
void norm_backward(const NormBackward<float, E>& a, int64_t, int64_t blocks) {
  launch(norm_backward_kernel<E>, blocks, kThreads, 0, a);
}
template <class E>
void residual_forward(const ResidualForward<float, E>& a, int64_t, int64_t rows) {
  launch(residual_forward_kernel<E>, (rows + kWarps - 1) / kWarps, kThreads, 0, a, rows);
}
template <class E>
void residual_backward(const ResidualBackward<float, E>& a, int64_t, int64_t blocks) {
  launch(residual_backward_kernel<E>, blocks, kThreads, 0, a);
}
template <class E>
void gelu_forward(const GeluForward<float, E>& a, int64_t, int64_t rows) {
  launch(gelu_forward_kernel<E>, (rows + kGeluRows - 1) / kGeluRows, kThreads / 2, 0, a);
}
template <class E>
void gelu_backward(const GeluBackward<float, E>& a, int64_t, int64_t blocks) {
  launch(gelu_backward_kernel<E>, blocks, kThreads, 0, a);
}

}  // namespace simmim::cuda
