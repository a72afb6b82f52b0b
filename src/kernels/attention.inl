// Attention of one head and sequence at a time, all of it in the first cache levels; the probabilities are computed
// again in the backward pass (Dao et al., 2022) instead of being stored. Included by cpu_*.cpp only.

// Buffers of one thread. Rows of d are padded to whole vectors with zeros, rows of N to attention_columns.
template <class T>
struct Workspace {
  int64_t N, d, columns, width, block;                       // block: queries at a time
  std::vector<T> q, k, v, out, share, transposed_k, scores;  // out, share: forward
  std::vector<T> transposed_v, d_scores, d_out, dq, dk, dv;  // backward

  Workspace(int64_t N_, int64_t d_, bool backward)
      : N(N_), d(d_), columns(attention_columns(N_)), width((d_ + 15) / 16 * 16), block(N_ <= 80 ? N_ : 60) {
    const auto rows = static_cast<size_t>(columns * width), square = static_cast<size_t>(block * columns);
    for (std::vector<T>* part : {&q, &k, &v}) part->assign(rows, 0);
    transposed_k.resize(rows);
    scores.resize(square);
    if (!backward) {
      out.resize(rows);
      share.resize(static_cast<size_t>(N));
      return;
    }
    for (std::vector<T>* part : {&d_out, &dq, &dk, &dv}) part->assign(rows, 0);
    transposed_v.resize(rows);
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

// (columns, width) -> (width, columns), square by square in registers.
template <class T>
void transpose(const Workspace<T>& w, const T* from, T* to) {
  constexpr int L = kLanes<T>;
  for (int64_t t = 0; t < w.columns; t += L)
    for (int64_t c = 0; c < w.width; c += L) {
      Vector<T> rows[L];
#pragma GCC unroll 16
      for (int i = 0; i < L; ++i) load(rows[i], from + (t + i) * w.width + c);
      transpose_square<T>(rows);
#pragma GCC unroll 16
      for (int i = 0; i < L; ++i) store(to + (c + i) * w.columns + t, rows[i]);
    }
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
        T* largest = a.softmax + (s * a.H + h) * a.N + i;
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
          w.share[static_cast<size_t>(i + q)] = 1 / sum_of<T>(sum);
          largest[q] = highest;
        }
        multiply(count, w.width, a.N, w.scores.data(), w.columns, int64_t{1}, w.v.data(), w.width,
                 w.out.data() + i * w.width, w.width, false);
      }
      for (int64_t t = 0; t < a.N; ++t) {
        E* out = a.out + (s * a.N + t) * D + h * a.d;
        const T *row = w.out.data() + t * w.width, share = w.share[static_cast<size_t>(t)];
        for_row<T>(a.d, [&] SIMMIM_BODY {
          Vector<T> value;
          get(value, row);
          value *= share;
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
          const T largest = a.softmax[(s * a.H + h) * a.N + i + q];
          Vector<T> total{}, dot_sum{};
          for (int64_t e = q * w.columns; e < (q + 1) * w.columns; e += kLanes<T>) {
            Vector<T> p, d;
            load(p, w.scores.data() + e);
            load(d, w.d_scores.data() + e);
            p -= largest;
            exponential(p);
            store(w.scores.data() + e, p);
            total += p;
            dot_sum += p * d;
          }
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
