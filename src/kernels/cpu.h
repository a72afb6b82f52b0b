// Fused operations of a transformer block, here for CPUs with AVX2 or AVX-512 (for GPUs: src/cuda): what lies between
// two matrix products becomes one pass over the rows, and attention never leaves the cache. Raw pointers in, raw
// pointers out; the caller owns all memory and splits the work: every function takes a range of items, and what an item
// computes does not depend on the range, so results are the same for any number of threads.
//
// T is the number type of parameters and of the residual stream, E that of the operands of matrix products: (float,
// float), (float, bf16) or (double, double). Rows are tokens of D numbers, L of them an image. `order` and `inverse`
// (layers/window.h) say how the rows of a branch are permuted within an image; nullptr: not at all.
#pragma once
#include <cstdint>

namespace simmim::kernels {

struct bf16 {
  uint16_t bits;
};

// Column sums over many rows are kept per block of rows (Operations::row_block), sums[block][which][D], and added up by
// the caller.
constexpr int64_t kRowBlock = 64;

// out[r] = (x[s] - mean) * rstd * weight + bias, s the row that stands r-th; mean and rstd are written at s.
template <class T, class E>
struct NormForward {
  const T* x;
  const int64_t* order;
  int64_t L, D;
  const T *weight, *bias;  // (D)
  T eps;
  E* out;
  T *mean, *rstd;  // (rows)
};

// dx[s] = residual[s] + gradient of the norm at s; sums: 0 of weight, 1 of bias. d_out is in the order of `out`.
template <class T, class E>
struct NormBackward {
  const E* d_out;
  const int64_t* inverse;
  const T *x, *mean, *rstd, *weight;
  const T* residual;
  int64_t rows, L, D;
  T* dx;
  T* sums;
};

// y[s] = x[s] + factor[image] * gamma * (branch[r] + bias); then, if `norm.out` is given, norm.out[s] = the norm of
// y[s] (norm.x, L, D and order are ignored).
template <class T, class E>
struct ResidualForward {
  const T* x;
  const E* branch;
  const int64_t* inverse;
  int64_t L, D;
  const T *bias, *gamma, *factor;  // (D); (D) or nullptr; (images) or nullptr
  T* y;
  NormForward<T, E> norm;
};

// d_branch[r] = dy[s] * factor * gamma; sums: 0 of gamma (untouched without), 1 of bias.
template <class T, class E>
struct ResidualBackward {
  const T* dy;
  const E* branch;  // as in the forward pass; nullptr without gamma
  const int64_t* inverse;
  int64_t rows, L, D;
  const T *bias, *gamma, *factor;
  E* d_branch;
  T* sums;
};

// out = gelu(h + bias), by the error function.
template <class T, class E>
struct GeluForward {
  const E* h;
  const T* bias;  // (D)
  int64_t rows, D;
  E* out;
};

// dh = d_out * gelu'(h + bias); out is computed again, for the weight's gradient; sums: 0 of bias.
template <class T, class E>
struct GeluBackward {
  const E *h, *d_out;
  const T* bias;
  int64_t rows, D;
  E *out, *dh;
  T* sums;
};

// Attention over sequences of N tokens: qkv (sequences,N,3,H,d) without its bias, bias (H,N,columns) and mask
// (windows,N,columns) padded to whole vectors with kHidden and 0. out (sequences,N,H,d); softmax (sequences,H,N).
// An item is a head and a group of sequences: attention_groups(...) of them a head.
template <class T, class E>
struct AttentionForward {
  const E* qkv;
  const T* qkv_bias;     // (3,H,d)
  const T *bias, *mask;  // mask: nullptr or sequence s takes mask s % windows
  int64_t sequences, N, H, d, windows;
  E* out;
  T* softmax;  // what the backward pass needs of each query: the largest score; on a GPU the log of the sum
};

template <class T, class E>
struct AttentionBackward {
  AttentionForward<T, E> forward;  // its softmax is read, its out is not
  const E* d_out;
  E* d_qkv;
  T* d_bias;      // (groups,H,N,columns) and (groups,3,H,d), both added to; the caller adds up the groups. What d_bias
  T* d_qkv_bias;  // holds beyond column N means nothing.
};

// A right factor b (K,N), K and N multiples of 16, as `product` reads it.
template <class T>
struct Pack {
  const T* b;  // (K,N), or (N,K) where it is `transposed`
  int64_t K, N;
  bool transposed;
  T* out;  // K * N
};
constexpr int64_t kPackColumns = 32;  // a thread packs whole multiples of so many

// c (rows,N) = a (rows,K) b, b packed.
template <class T>
struct Product {
  const T *a, *b;
  int64_t K, N;
  T* c;
};

// sum (out,in) += d_out^T input; `in` a multiple of 16. For narrow inputs: wide ones are MKL's.
template <class T>
struct WeightGradient {
  const T *d_out, *input;  // (rows,out), (rows,in)
  int64_t rows, out, in;
  T* sum;
};

// Whether these products are faster here than MKL's: those of a chunk that stays in the cache, since MKL copies its
// operands at every call; on processors that are not Intel's all, since its best kernels are for Intel's alone. On one
// core of an AMD EPYC with AVX2 (third generation), GFLOP/s of MKL's and ours: 61 and 82 for 512 x 96 at depth 32, 92
// and 95 for 195 x 384 at depth 128, 60 and 75 for 1576 x 3072 at depth 768 on a busy machine. On two cores of an Intel
// Xeon with AVX-512, images/s of `simmim bench step` built with this false and true, medians of 3 in turn: ViT nano 336
// and 348, Swin nano 928 and 985, both in chunks; ViT-B, all at once, 2.5 and 2.1.
bool has_faster_products(bool chunked);

template <class T>
constexpr T kHidden = T(-1e30);  // a score that takes no part

// Bytes of intermediate results that are worked on together: the second cache level, at most a megabyte of it.
int64_t chunk_bytes();

int64_t attention_columns(int64_t N);  // N rounded up to whole vectors
int64_t attention_groups(int64_t sequences, int64_t H);

// One instruction set's functions. begin, end: rows for products, the norm and residual forward passes and the forward
// GELU, row blocks for what sums columns, items (group * H + head) for attention, kPackColumns columns for packing,
// rows of the sum for weight gradients.
template <class T, class E>
struct Operations {
  bool at_once;                                                    // one call takes all items: on a GPU
  int64_t row_block;                                               // rows
  int64_t (*groups)(int64_t sequences, int64_t H);                 // of attention
  bool (*takes)(int64_t N, int64_t D, int64_t H, int64_t hidden);  // other shapes are left to LibTorch's operations
  void (*norm_forward)(const NormForward<T, E>&, int64_t begin, int64_t end);
  void (*norm_backward)(const NormBackward<T, E>&, int64_t begin, int64_t end);
  void (*residual_forward)(const ResidualForward<T, E>&, int64_t begin, int64_t end);
  void (*residual_backward)(const ResidualBackward<T, E>&, int64_t begin, int64_t end);
  void (*gelu_forward)(const GeluForward<T, E>&, int64_t begin, int64_t end);
  void (*gelu_backward)(const GeluBackward<T, E>&, int64_t begin, int64_t end);
  void (*attention_forward)(const AttentionForward<T, E>&, int64_t begin, int64_t end);
  void (*attention_backward)(const AttentionBackward<T, E>&, int64_t begin, int64_t end);
  void (*pack)(const Pack<T>&, int64_t begin, int64_t end);
  void (*product)(const Product<T>&, int64_t begin, int64_t end);
  void (*weight_gradient)(const WeightGradient<T>&, int64_t begin, int64_t end);
};

// The fastest that this processor can run; nullptr if it has not even AVX2. For GPUs: operations_on in device.h.
template <class T, class E>
const Operations<T, E>* operations();

}  // namespace simmim::kernels
