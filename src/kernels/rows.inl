// What happens to rows of tokens between two matrix products. Included by cpu_*.cpp only.

#define SIMMIM_BODY                                                                                \
  ([[maybe_unused]] int64_t i, [[maybe_unused]] const auto& get, [[maybe_unused]] const auto& put) \
      __attribute__((always_inline))

// The row that stands r-th in the permuted order, or where row r went: the same lookup in `order` and `inverse`.
SIMMIM_INLINE int64_t permuted(const int64_t* order, int64_t r, int64_t L) {
  return order ? r / L * L + order[r % L] : r;
}

template <class T, class E>
SIMMIM_INLINE void norm_row(const NormForward<T, E>& a, const T* x, int64_t D, E* out, int64_t row) {
  Vector<T> sum{};
  for_row<T>(D, [&] SIMMIM_BODY {
    Vector<T> v;
    get(v, x);
    sum += v;
  });
  const T mean = sum_of<T>(sum) / static_cast<T>(D);
  Vector<T> squares{};
  for_row<T>(D, [&] SIMMIM_BODY {
    Vector<T> v, off = Vector<T>{} + mean;
    get(v, x);
    if (i + kLanes < T >> D)
      for (int64_t lane = D - i; lane < kLanes<T>; ++lane) off[lane] = 0;  // what is beyond the row counts as the mean
    v -= off;
    squares += v * v;
  });
  const T rstd = 1 / std::sqrt(sum_of<T>(squares) / static_cast<T>(D) + a.eps);
  for_row<T>(D, [&] SIMMIM_BODY {
    Vector<T> v, weight, bias;
    get(v, x);
    get(weight, a.weight);
    get(bias, a.bias);
    put(out, (v - mean) * rstd * weight + bias);
  });
  a.mean[row] = mean;
  a.rstd[row] = rstd;
}

template <class T, class E>
void norm_forward(const NormForward<T, E>& a, int64_t begin, int64_t end) {
  for (int64_t r = begin; r < end; ++r) {
    const int64_t s = permuted(a.order, r, a.L);
    norm_row(a, a.x + s * a.D, a.D, a.out + r * a.D, s);
  }
}

template <class T, class E>
void norm_backward(const NormBackward<T, E>& a, int64_t begin, int64_t end) {
  const int64_t D = a.D;
  for (int64_t block = begin; block < end; ++block) {
    T *d_weight = a.sums + block * 2 * D, *d_bias = d_weight + D;
    std::fill(d_weight, d_weight + 2 * D, T(0));
    for (int64_t s = block * kRowBlock; s < std::min(a.rows, (block + 1) * kRowBlock); ++s) {
      const T *x = a.x + s * D, *residual = a.residual + s * D, mean = a.mean[s], rstd = a.rstd[s];
      const E* d_out = a.d_out + permuted(a.inverse, s, a.L) * D;
      T* dx = a.dx + s * D;
      // With g = d_out * weight and xhat = (x - mean) * rstd: dx = rstd * (g - mean(g) - xhat * mean(g * xhat)).
      Vector<T> g_sum{}, gx_sum{};
      for_row<T>(D, [&] SIMMIM_BODY {
        Vector<T> d, v, weight, dw, db;
        get(d, d_out);
        get(v, x);
        get(weight, a.weight);
        get(dw, d_weight);
        get(db, d_bias);
        const Vector<T> xhat = (v - mean) * rstd, g = d * weight;
        put(d_weight, dw + d * xhat);
        put(d_bias, db + d);
        g_sum += g;
        gx_sum += g * xhat;
      });
      const T g_mean = sum_of<T>(g_sum) / static_cast<T>(D), gx_mean = sum_of<T>(gx_sum) / static_cast<T>(D);
      for_row<T>(D, [&] SIMMIM_BODY {
        Vector<T> d, v, weight, rest;
        get(d, d_out);
        get(v, x);
        get(weight, a.weight);
        get(rest, residual);
        put(dx, rest + rstd * (d * weight - g_mean - (v - mean) * rstd * gx_mean));
      });
    }
  }
}

template <class T, class E>
void residual_forward(const ResidualForward<T, E>& a, int64_t begin, int64_t end) {
  const int64_t D = a.D;
  for (int64_t s = begin; s < end; ++s) {
    const T* x = a.x + s * D;
    const E* branch = a.branch + permuted(a.inverse, s, a.L) * D;
    const T factor = a.factor ? a.factor[s / a.L] : T(1);
    T* y = a.y + s * D;
    for_row<T>(D, [&] SIMMIM_BODY {
      Vector<T> v, b, bias, gamma = Vector<T>{} + 1;
      get(v, x);
      get(b, branch);
      get(bias, a.bias);
      if (a.gamma) get(gamma, a.gamma);
      put(y, v + (b + bias) * gamma * factor);
    });
    if (a.norm.out) norm_row(a.norm, y, D, a.norm.out + s * D, s);
  }
}

template <class T, class E>
void residual_backward(const ResidualBackward<T, E>& a, int64_t begin, int64_t end) {
  const int64_t D = a.D;
  for (int64_t block = begin; block < end; ++block) {
    T *d_gamma = a.sums + block * 2 * D, *d_bias = d_gamma + D;
    std::fill(d_gamma, d_gamma + 2 * D, T(0));
    for (int64_t s = block * kRowBlock; s < std::min(a.rows, (block + 1) * kRowBlock); ++s) {
      const int64_t r = permuted(a.inverse, s, a.L);
      const T *dy = a.dy + s * D, factor = a.factor ? a.factor[s / a.L] : T(1);
      const E* branch = a.gamma ? a.branch + r * D : nullptr;
      E* d_branch = a.d_branch + r * D;
      for_row<T>(D, [&] SIMMIM_BODY {
        Vector<T> d, db;
        get(d, dy);
        d *= factor;
        if (a.gamma) {
          Vector<T> b, bias, gamma, dg;
          get(b, branch);
          get(bias, a.bias);
          get(gamma, a.gamma);
          get(dg, d_gamma);
          put(d_gamma, dg + d * (b + bias));
          d *= gamma;
        }
        get(db, d_bias);
        put(d_bias, db + d);
        put(d_branch, d);
      });
    }
  }
}

template <class T, class E>
void gelu_forward(const GeluForward<T, E>& a, int64_t begin, int64_t end) {
  for (int64_t r = begin; r < end; ++r) {
    const E* h = a.h + r * a.D;
    E* out = a.out + r * a.D;
    for_row<T>(a.D, [&] SIMMIM_BODY {
      Vector<T> v, bias, cdf, density;
      get(v, h);
      get(bias, a.bias);
      v += bias;
      normal_distribution(v, cdf, density);
      put(out, v * cdf);
    });
  }
}

template <class T, class E>
void gelu_backward(const GeluBackward<T, E>& a, int64_t begin, int64_t end) {
  const int64_t D = a.D;
  for (int64_t block = begin; block < end; ++block) {
    T* d_bias = a.sums + block * D;
    std::fill(d_bias, d_bias + D, T(0));
    for (int64_t r = block * kRowBlock; r < std::min(a.rows, (block + 1) * kRowBlock); ++r) {
      const E *h = a.h + r * D, *d_out = a.d_out + r * D;
      E *out = a.out + r * D, *dh = a.dh + r * D;
      for_row<T>(D, [&] SIMMIM_BODY {
        Vector<T> v, bias, d, db, cdf, density;
        get(v, h);
        get(bias, a.bias);
        get(d, d_out);
        get(db, d_bias);
        v += bias;
        normal_distribution(v, cdf, density);
        put(out, v * cdf);
        d *= cdf + v * density;
        put(dh, d);
        put(d_bias, db + d);
      });
    }
  }
}
