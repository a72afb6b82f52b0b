// Matrix products. One of the factors lies in panels of two vectors of columns, row after row within a panel, so that
// the innermost loop reads memory in order; the other is read where it is (Goto and van de Geijn, 2008, without their
// copy of the second factor: at our widths it costs more than it brings). Included by cpu_*.cpp only.

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

// The same for the last `rows` < R rows.
template <class T, int R, int NV>
SIMMIM_INLINE void last_rows(int64_t rows, int64_t K, const T* a, int64_t ars, int64_t acs, const T* b, int64_t ldb,
                             T* c, int64_t ldc, bool add) {
  if constexpr (R > 1) {
    if (rows == R - 1) return tile<T, R - 1, NV>(K, a, ars, acs, b, ldb, c, ldc, add);
    last_rows<T, R - 1, NV>(rows, K, a, ars, acs, b, ldb, c, ldc, add);
  }
}

template <int NV>
constexpr int kTileRows = std::min(12, SIMMIM_ACCUMULATORS / NV);

template <class T, int NV>
void columns(int64_t M, int64_t K, const T* a, int64_t ars, int64_t acs, const T* b, int64_t ldb, T* c, int64_t ldc,
             bool add) {
  constexpr int R = kTileRows<NV>;
  int64_t i = 0;
  for (; i + R <= M; i += R) tile<T, R, NV>(K, a + i * ars, ars, acs, b, ldb, c + i * ldc, ldc, add);
  last_rows<T, R, NV>(M - i, K, a + i * ars, ars, acs, b, ldb, c + i * ldc, ldc, add);
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

template <class T>
constexpr int64_t kPanel = 2 * kLanes<T>;  // columns

// Rows of a panel at a time: they stay in the first cache level. K is cut into equal parts.
template <class T>
int64_t depth(int64_t K) {
  constexpr int64_t most = 24 * 1024 / (kPanel<T> * static_cast<int64_t>(sizeof(T)));
  const int64_t parts = (K + most - 1) / most;
  return ((K + parts - 1) / parts + 15) / 16 * 16;
}

// Rows k..k+K of the panel at column j.
template <class T>
void pack_panel(const Pack<T>& p, int64_t k, int64_t K, int64_t j, T* out) {
  constexpr int L = kLanes<T>;
  const int64_t width = std::min(kPanel<T>, p.N - j);
  if (!p.transposed) {
    for (int64_t r = 0; r < K; ++r) std::copy_n(p.b + (k + r) * p.N + j, width, out + r * width);
    return;
  }
  for (int64_t c = 0; c < width; c += L)
    for (int64_t r = 0; r < K; r += L) {
      Vector<T> square[L];
#pragma GCC unroll 16
      for (int i = 0; i < L; ++i) load(square[i], p.b + (j + c + i) * p.K + k + r);
      transpose_square<T>(square);
#pragma GCC unroll 16
      for (int i = 0; i < L; ++i) store(out + (r + i) * width + c, square[i]);
    }
}

template <class T>
void pack(const Pack<T>& p, int64_t begin, int64_t end) {
  const int64_t step = depth<T>(p.K);
  for (int64_t k = 0; k < p.K; k += step) {
    const int64_t K = std::min(step, p.K - k);
    for (int64_t j = begin * kPackColumns; j < std::min(p.N, end * kPackColumns); j += kPanel<T>)
      pack_panel(p, k, K, j, p.out + k * p.N + j * K);
  }
}

template <class T>
void product(const Product<T>& p, int64_t begin, int64_t end) {
  constexpr int64_t most = 96;  // rows at a time, which stay in the second cache level
  const int64_t step = depth<T>(p.K);
  for (int64_t i = begin; i < end; i += most)
    for (int64_t k = 0; k < p.K; k += step) {
      const int64_t rows = std::min(most, end - i), K = std::min(step, p.K - k);
      const T* a = p.a + i * p.K + k;
      for (int64_t j = 0; j < p.N; j += kPanel<T>) {
        const T* b = p.b + k * p.N + j * K;
        T* c = p.c + i * p.N + j;
        if (j + kPanel<T> <= p.N)
          columns<T, 2>(rows, K, a, p.K, int64_t{1}, b, kPanel<T>, c, p.N, k > 0);
        else
          columns<T, 1>(rows, K, a, p.K, int64_t{1}, b, kLanes<T>, c, p.N, k > 0);
      }
    }
}

template <class T>
void weight_gradient(const WeightGradient<T>& g, int64_t begin, int64_t end) {
  constexpr int64_t most = 256;  // rows at a time, whose panels stay in the second cache level
  const auto panels = std::make_unique_for_overwrite<T[]>(static_cast<size_t>(most * g.in));
  for (int64_t first = 0; first < g.rows; first += most) {
    const int64_t K = std::min(most, g.rows - first);
    for (int64_t j = 0; j < g.in; j += kPanel<T>)
      pack_panel(Pack<T>{g.input, g.rows, g.in, false, nullptr}, first, K, j, panels.get() + j * K);
    for (int64_t i = begin; i < end; i += kTileRows<2>) {
      const int64_t rows = std::min<int64_t>(kTileRows<2>, end - i);
      const T* a = g.d_out + first * g.out + i;
      for (int64_t j = 0; j < g.in; j += kPanel<T>) {
        const T* b = panels.get() + j * K;
        T* c = g.sum + i * g.in + j;
        if (j + kPanel<T> <= g.in)
          columns<T, 2>(rows, K, a, int64_t{1}, g.out, b, kPanel<T>, c, g.in, true);
        else
          columns<T, 1>(rows, K, a, int64_t{1}, g.out, b, kLanes<T>, c, g.in, true);
      }
    }
  }
}
