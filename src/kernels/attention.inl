// Attention of one head and sequence at a time, all of it in the first cache levels; the probabilities are computed
// again in the backward pass (Dao et al., 2022) instead of being stored. Included by cpu_*.cpp only.

// c (R x NV vectors) = or += A b, A(i,k) = a[i*ars + k*acs], b (K x NV vectors). All of c in registers.
template <class T, int R, int NV>
SIMMIM_INLINE void tile(int64_t K, const T* a, int64_t ars, int64_t acs, const T* b, int64_t ldb, T* c, int64_t ldc,
                        bool add) {
  constexpr int W = kLanes<T>;
  Vector<T> sums[R][NV];
#pragma GCC unroll 12
  for (int i = 0; i < R; ++i)
#pragma GCC unroll 12
    for (int j = 0; j < NV; ++j) {
      sums[i][j] = Vector<T>{};
      if (add) load(sums[i][j], c + i * ldc + j * W);
    }
  for (int64_t k = 0; k < K; ++k) {
    Vector<T> row[NV];
#pragma GCC unroll 12
    for (int j = 0; j < NV; ++j) load(row[j], b + k * ldb + j * W);
#pragma GCC unroll 12
    for (int i = 0; i < R; ++i)
#pragma GCC unroll 12
      for (int j = 0; j < NV; ++j) sums[i][j] += a[i * ars + k * acs] * row[j];
  }
#pragma GCC unroll 12
  for (int i = 0; i < R; ++i)
#pragma GCC unroll 12
    for (int j = 0; j < NV; ++j) store(c + i * ldc + j * W, sums[i][j]);
}

template <class T, int NV>
void columns(int64_t M, int64_t K, const T* a, int64_t ars, int64_t acs, const T* b, int64_t ldb, T* c, int64_t ldc,
             bool add) {
  constexpr int R = std::min(12, SIMMIM_ACCUMULATORS / NV);
  int64_t i = 0;
  for (; i + R <= M; i += R) tile<T, R, NV>(K, a + i * ars, ars, acs, b, ldb, c + i * ldc, ldc, add);
  for (; i + 2 <= M; i += 2) tile<T, 2, NV>(K, a + i * ars, ars, acs, b, ldb, c + i * ldc, ldc, add);
  if (i < M) tile<T, 1, NV>(K, a + i * ars, ars, acs, b, ldb, c + i * ldc, ldc, add);
}

// c (M x n) = or += A (M x K) b (K x n), n a multiple of the vector's lanes.
template <class T>
void multiply(int64_t M, int64_t n, int64_t K, const T* a, int64_t ars, int64_t acs, const T* b, int64_t ldb, T* c,
              int64_t ldc, bool add) {
  constexpr int most = SIMMIM_VECTOR_BYTES == 64 ? 5 : 3;
  for (int64_t left = n / kLanes<T>; left > 0;) {
    const int64_t parts = (left + most - 1) / most, width = (left + parts - 1) / parts;
    switch (width) {
      case 1:
        columns<T, 1>(M, K, a, ars, acs, b, ldb, c, ldc, add);
        break;
      case 2:
        columns<T, 2>(M, K, a, ars, acs, b, ldb, c, ldc, add);
        break;
      case 3:
        columns<T, 3>(M, K, a, ars, acs, b, ldb, c, ldc, add);
        break;
      case 4:
        columns<T, 4>(M, K, a, ars, acs, b, ldb, c, ldc, add);
        break;
      default:
        columns<T, most>(M, K, a, ars, acs, b, ldb, c, ldc, add);
    }
    left -= width;
    b += width * kLanes<T>;
    c += width * kLanes<T>;
  }
}

// Buffers of one thread. Rows of d are padded to whole vectors with zeros, rows of N to attention_columns.
template <class T>
struct Workspace {
  int64_t N, d, columns, width, block;                       // block: queries at a time
  std::vector<T> q, k, v, out, transposed_k, scores;         // out: forward
  std::vector<T> transposed_v, d_scores, d_out, dq, dk, dv;  // backward

  Workspace(int64_t N_, int64_t d_, bool backward)
      : N(N_), d(d_), columns(attention_columns(N_)), width((d_ + 15) / 16 * 16), block(N_ <= 80 ? N_ : 60) {
    const auto rows = static_cast<size_t>(N * width), square = static_cast<size_t>(block * columns);
    for (std::vector<T>* part : {&q, &k, &v}) part->assign(rows, 0);
    transposed_k.assign(static_cast<size_t>(d * columns), 0);
    scores.resize(square);
    if (!backward) out.assign(rows, 0);
    if (!backward) return;
    for (std::vector<T>* part : {&d_out, &dq, &dk, &dv}) part->assign(rows, 0);
    transposed_v.assign(static_cast<size_t>(d * columns), 0);
    d_scores.resize(square);
  }
};

// A head's slice of a sequence -> padded rows, (value + bias) * factor.
template <class T, class E>
void gather(const Workspace<T>& w, const E* from, int64_t stride, const T* bias, T factor, T* to) {
  for (int64_t t = 0; t < w.N; ++t) {
    const E* row = from + t * stride;
    T* out = to + t * w.width;
    for_row<T>(w.d, [&] SIMMIM_BODY {
      Vector<T> value, b{};
      get(value, row);
      if (bias) get(b, bias);
      put(out, (value + b) * factor);
    });
  }
}

// Padded rows times a factor -> a head's slice; their sums are added to `sum`.
template <class T, class E>
void scatter(const Workspace<T>& w, const T* from, T factor, E* to, int64_t stride, T* sum) {
  for (int64_t t = 0; t < w.N; ++t) {
    const T* row = from + t * w.width;
    E* out = to + t * stride;
    for_row<T>(w.d, [&] SIMMIM_BODY {
      Vector<T> value, s;
      get(value, row);
      get(s, sum);
      value *= factor;
      put(out, value);
      put(sum, s + value);
    });
  }
}

template <class T>
void transpose(const Workspace<T>& w, const T* from, T* to) {
  for (int64_t t = 0; t < w.N; ++t)
    for (int64_t c = 0; c < w.d; ++c) to[c * w.columns + t] = from[t * w.width + c];
}

// Fills q (scaled), k, v of the workspace from sequence s, head h.
template <class T, class E>
void gather_qkv(const AttentionForward<T, E>& a, Workspace<T>& w, int64_t s, int64_t h) {
  const int64_t D = a.H * a.d;
  const E* base = a.qkv + s * a.N * 3 * D + h * a.d;
  const T* bias = a.qkv_bias + h * a.d;
  gather(w, base, 3 * D, bias, T(1 / std::sqrt(static_cast<double>(a.d))), w.q.data());
  gather(w, base + D, 3 * D, bias + D, T(1), w.k.data());
  gather(w, base + 2 * D, 3 * D, bias + 2 * D, T(1), w.v.data());
  transpose(w, w.k.data(), w.transposed_k.data());
}

// Scores of `count` queries from the i-th on, bias and mask added.
template <class T, class E>
void scores_of(const AttentionForward<T, E>& a, Workspace<T>& w, int64_t s, int64_t h, int64_t i, int64_t count) {
  multiply(count, w.columns, w.d, w.q.data() + i * w.width, w.width, int64_t{1}, w.transposed_k.data(), w.columns,
           w.scores.data(), w.columns, false);
  const T* bias = a.bias + (h * a.N + i) * w.columns;
  const T* mask = a.mask ? a.mask + (s % a.windows * a.N + i) * w.columns : nullptr;
  for (int64_t e = 0; e < count * w.columns; e += kLanes<T>) {
    Vector<T> score, b, m;
    load(score, w.scores.data() + e);
    load(b, bias + e);
    score += b;
    if (mask) {
      load(m, mask + e);
      score += m;
    }
    store(w.scores.data() + e, score);
  }
}

template <class T, class E>
void attention_forward(const AttentionForward<T, E>& a, int64_t begin, int64_t end) {
  const int64_t D = a.H * a.d, groups = attention_groups(a.sequences, a.H);
  Workspace<T> w(a.N, a.d, false);
  for (int64_t item = begin; item < end; ++item) {
    const int64_t h = item % a.H, group = item / a.H;
    for (int64_t s = group * a.sequences / groups; s < (group + 1) * a.sequences / groups; ++s) {
      gather_qkv(a, w, s, h);
      for (int64_t i = 0; i < a.N; i += w.block) {
        const int64_t count = std::min(w.block, a.N - i);
        scores_of(a, w, s, h, i, count);
        T* lse = a.lse + (s * a.H + h) * a.N + i;
        for (int64_t q = 0; q < count; ++q) {
          T* row = w.scores.data() + q * w.columns;
          Vector<T> top = Vector<T>{} + kHidden<T>, sum{}, v;
          for (int64_t e = 0; e < w.columns; e += kLanes<T>) {
            load(v, row + e);
            top = v > top ? v : top;
          }
          const T highest = max_of<T>(top);
          for (int64_t e = 0; e < w.columns; e += kLanes<T>) {
            load(v, row + e);
            v -= highest;
            exponential(v);
            sum += v;
            store(row + e, v);
          }
          lse[q] = sum_of<T>(sum);
          const T share = 1 / lse[q];
          for (int64_t e = 0; e < w.columns; e += kLanes<T>) {
            load(v, row + e);
            store(row + e, Vector<T>(v * share));
          }
          lse[q] = highest + std::log(lse[q]);
        }
        multiply(count, w.width, a.N, w.scores.data(), w.columns, int64_t{1}, w.v.data(), w.width,
                 w.out.data() + i * w.width, w.width, false);
      }
      for (int64_t t = 0; t < a.N; ++t) {
        E* out = a.out + (s * a.N + t) * D + h * a.d;
        const T* row = w.out.data() + t * w.width;
        for_row<T>(a.d, [&] SIMMIM_BODY {
          Vector<T> value;
          get(value, row);
          put(out, value);
        });
      }
    }
  }
}

// With P the probabilities and dP = dO v^T: dS = P * (dP - rowsum(P * dP)), dq = dS k, dk = dS^T q, dv = P^T dO. The
// row sum is not taken as that of dO * O: O may have been rounded to bf16, and then no row of dS would sum to 0.
template <class T, class E>
void attention_backward(const AttentionBackward<T, E>& b, int64_t begin, int64_t end) {
  const AttentionForward<T, E>& a = b.forward;
  const int64_t D = a.H * a.d, groups = attention_groups(a.sequences, a.H);
  const T scale = T(1 / std::sqrt(static_cast<double>(a.d)));
  Workspace<T> w(a.N, a.d, true);
  for (int64_t item = begin; item < end; ++item) {
    const int64_t h = item % a.H, group = item / a.H;
    T* d_bias = b.d_bias + item * a.N * w.columns;
    T* d_qkv_bias = b.d_qkv_bias + group * 3 * D + h * a.d;
    for (int64_t s = group * a.sequences / groups; s < (group + 1) * a.sequences / groups; ++s) {
      gather_qkv(a, w, s, h);
      transpose(w, w.v.data(), w.transposed_v.data());
      gather(w, b.d_out + s * a.N * D + h * a.d, D, static_cast<const T*>(nullptr), T(1), w.d_out.data());
      for (int64_t i = 0; i < a.N; i += w.block) {
        const int64_t count = std::min(w.block, a.N - i);
        scores_of(a, w, s, h, i, count);
        multiply(count, w.columns, w.d, w.d_out.data() + i * w.width, w.width, int64_t{1}, w.transposed_v.data(),
                 w.columns, w.d_scores.data(), w.columns, false);
        for (int64_t q = 0; q < count; ++q) {
          const T lse = a.lse[(s * a.H + h) * a.N + i + q];
          Vector<T> total{}, dot_sum{};
          for (int64_t e = q * w.columns; e < (q + 1) * w.columns; e += kLanes<T>) {
            Vector<T> p, d;
            load(p, w.scores.data() + e);
            load(d, w.d_scores.data() + e);
            p -= lse;
            exponential(p);
            store(w.scores.data() + e, p);
            total += p;
            dot_sum += p * d;
          }
          // lse is rounded, so the sum is only nearly 1; the probabilities are made to sum to 1 as they did before.
          const T share = 1 / sum_of<T>(total), dot = sum_of<T>(dot_sum) * share;
          for (int64_t e = q * w.columns; e < (q + 1) * w.columns; e += kLanes<T>) {
            Vector<T> p, d, sum;
            load(p, w.scores.data() + e);
            load(d, w.d_scores.data() + e);
            load(sum, d_bias + i * w.columns + e);
            p *= share;
            d = p * (d - dot);
            store(w.scores.data() + e, p);
            store(w.d_scores.data() + e, d);
            store(d_bias + i * w.columns + e, Vector<T>(sum + d));
          }
        }
        const bool add = i > 0;
        multiply(count, w.width, a.N, w.d_scores.data(), w.columns, int64_t{1}, w.k.data(), w.width,
                 w.dq.data() + i * w.width, w.width, false);
        multiply(a.N, w.width, count, w.d_scores.data(), int64_t{1}, w.columns, w.q.data() + i * w.width, w.width,
                 w.dk.data(), w.width, add);
        multiply(a.N, w.width, count, w.scores.data(), int64_t{1}, w.columns, w.d_out.data() + i * w.width, w.width,
                 w.dv.data(), w.width, add);
      }
      E* d_qkv = b.d_qkv + s * a.N * 3 * D + h * a.d;
      scatter(w, w.dq.data(), scale, d_qkv, 3 * D, d_qkv_bias);
      scatter(w, w.dk.data(), T(1), d_qkv + D, 3 * D, d_qkv_bias + D);
      scatter(w, w.dv.data(), T(1), d_qkv + 2 * D, 3 * D, d_qkv_bias + 2 * D);
    }
  }
}
