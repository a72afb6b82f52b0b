// Vectors of T by GCC's vector extension, and the few functions on them. Included by cpu_*.cpp only.

#define SIMMIM_INLINE [[gnu::always_inline]] inline

template <class T>
struct VectorOf {
  typedef T type __attribute__((vector_size(SIMMIM_VECTOR_BYTES)));
};
template <class T>
using Vector = typename VectorOf<T>::type;
template <class T>
constexpr int kLanes = SIMMIM_VECTOR_BYTES / sizeof(T);

typedef uint16_t HalfBits __attribute__((vector_size(SIMMIM_VECTOR_BYTES / 2)));
typedef uint32_t FloatBits __attribute__((vector_size(SIMMIM_VECTOR_BYTES)));
typedef int32_t Integers __attribute__((vector_size(SIMMIM_VECTOR_BYTES)));

SIMMIM_INLINE void load(Vector<float>& out, const float* from) { std::memcpy(&out, from, sizeof out); }
SIMMIM_INLINE void load(Vector<double>& out, const double* from) { std::memcpy(&out, from, sizeof out); }
SIMMIM_INLINE void store(float* to, const Vector<float>& value) { std::memcpy(to, &value, sizeof value); }
SIMMIM_INLINE void store(double* to, const Vector<double>& value) { std::memcpy(to, &value, sizeof value); }

SIMMIM_INLINE void load(Vector<float>& out, const bf16* from) {
  HalfBits bits;
  std::memcpy(&bits, from, sizeof bits);
  out = reinterpret_cast<Vector<float>>(__builtin_convertvector(bits, FloatBits) << 16);
}
// Rounds to nearest, ties to even. A NaN stays one: its upper bits survive unless all of them were zero.
SIMMIM_INLINE void store(bf16* to, const Vector<float>& value) {
  const FloatBits bits = reinterpret_cast<FloatBits>(value);
  const FloatBits rounded = (bits + 0x7FFF + (bits >> 16 & 1)) >> 16;
  const FloatBits kept = (bits & 0x7FFFFFFF) > 0x7F800000 ? (bits >> 16 | 0x40) : rounded;
  const HalfBits half = __builtin_convertvector(kept, HalfBits);
  std::memcpy(to, &half, sizeof half);
}

// The first n < kLanes elements; the rest is 0.
template <class T, class E>
SIMMIM_INLINE void load_part(Vector<T>& out, const E* from, int64_t n) {
  E part[kLanes<T>] = {};
  for (int64_t i = 0; i < n; ++i) part[i] = from[i];
  load(out, part);
}
template <class T, class E>
SIMMIM_INLINE void store_part(E* to, const Vector<T>& value, int64_t n) {
  E part[kLanes<T>];
  store(part, value);
  for (int64_t i = 0; i < n; ++i) to[i] = part[i];
}

// A row of D elements, vector by vector: body(offset, load, store) where load and store know how many elements are
// left.
template <class T, class Body>
SIMMIM_INLINE void for_row(int64_t D, const Body& body) {
  int64_t i = 0;
  for (; i + kLanes<T> <= D; i += kLanes<T>)
    body(
        i, [i](Vector<T> & out, const auto* from) __attribute__((always_inline)) { load(out, from + i); },
        [i](auto* to, const Vector<T>& value) __attribute__((always_inline)) { store(to + i, value); });
  if (i < D)
    body(
        i, [ i, D ](Vector<T> & out, const auto* from) __attribute__((always_inline)) {
          load_part<T>(out, from + i, D - i);
        },
        [ i, D ](auto* to, const Vector<T>& value)
            __attribute__((always_inline)) { store_part<T>(to + i, value, D - i); });
}

// Every lane's partner is the one whose number differs in bit S.
template <class T, int S, int... Lane>
SIMMIM_INLINE Vector<T> partners(const Vector<T>& value, std::integer_sequence<int, Lane...>) {
  return __builtin_shufflevector(value, value, (Lane ^ S)...);
}
template <class T, int S = kLanes<T> / 2>
SIMMIM_INLINE T sum_of(Vector<T> value) {
  value += partners<T, S>(value, std::make_integer_sequence<int, kLanes<T>>{});
  if constexpr (S > 1) return sum_of<T, S / 2>(value);
  return value[0];
}
template <class T, int S = kLanes<T> / 2>
SIMMIM_INLINE T max_of(Vector<T> value) {
  const Vector<T> other = partners<T, S>(value, std::make_integer_sequence<int, kLanes<T>>{});
  value = other > value ? other : value;
  if constexpr (S > 1) return max_of<T, S / 2>(value);
  return value[0];
}

// Of two rows of a square, the lanes whose bit S differs from the row's change places (Eklundh's transposition).
template <class T, int S, int... Lane>
SIMMIM_INLINE void exchange(Vector<T>& upper, Vector<T>& lower, std::integer_sequence<int, Lane...>) {
  constexpr int L = kLanes<T>;
  const Vector<T> kept = __builtin_shufflevector(upper, lower, (Lane & S ? L + Lane - S : Lane)...);
  lower = __builtin_shufflevector(upper, lower, (Lane & S ? L + Lane : Lane + S)...);
  upper = kept;
}

template <class T, int S = kLanes<T> / 2>
SIMMIM_INLINE void transpose_square(Vector<T>* rows) {
#pragma GCC unroll 16
  for (int i = 0; i < kLanes<T>; ++i)
    if (!(i & S)) exchange<T, S>(rows[i], rows[i + S], std::make_integer_sequence<int, kLanes<T>>{});
  if constexpr (S > 1) transpose_square<T, S / 2>(rows);
}

// e^x to 2 units in the last place (Cephes expf); below -80 it is 0: what is a little more and then multiplied would be
// too small for a normal number, and an Intel core takes a hundred times as long for such a product.
SIMMIM_INLINE void exponential(Vector<float>& x) {
  constexpr float magic = 12582912.f;  // 1.5 * 2^23: adding it rounds to an integer and leaves it in the low bits
  const auto none = x < -80.f;
  x = none ? Vector<float>{} : x;
  x = x > 88.f ? Vector<float>{} + 88.f : x;
  const Vector<float> shifted = x * 1.44269504088896341f + magic, n = shifted - magic;
  const Vector<float> r = x - n * 0.693359375f - n * -2.12194440e-4f;
  Vector<float> p = r * 1.9875691500e-4f + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.f;
  const Integers exponent = reinterpret_cast<Integers>(shifted) << 23;
  x = none ? Vector<float>{} : reinterpret_cast<Vector<float>>(reinterpret_cast<Integers>(p) + exponent);
}
SIMMIM_INLINE void exponential(Vector<double>& x) {
  for (int i = 0; i < kLanes<double>; ++i) x[i] = std::exp(x[i]);
}

// cdf = P(N(0,1) <= x) and density = exp(-x^2/2) / sqrt(2 pi); f32 to 1e-7 (Abramowitz and Stegun 7.1.26), f64 exact.
SIMMIM_INLINE void normal_distribution(const Vector<float>& x, Vector<float>& cdf, Vector<float>& density) {
  const Vector<float> size = (x < 0.f ? -x : x) * 0.70710678118654752f;
  Vector<float> e = -size * size;
  exponential(e);
  const Vector<float> t = 1.f / (1.f + size * 0.3275911f);
  Vector<float> p = t * 1.061405429f - 1.453152027f;
  p = p * t + 1.421413741f;
  p = p * t - 0.284496736f;
  p = p * t + 0.254829592f;
  const Vector<float> tail = p * t * e * 0.5f;
  cdf = x < 0.f ? tail : 1.f - tail;
  density = e * 0.39894228040143268f;
}
SIMMIM_INLINE void normal_distribution(const Vector<double>& x, Vector<double>& cdf, Vector<double>& density) {
  for (int i = 0; i < kLanes<double>; ++i) {
    cdf[i] = 0.5 * (1 + std::erf(x[i] * 0.70710678118654752));
    density[i] = std::exp(-0.5 * x[i] * x[i]) * 0.39894228040143268;
  }
}
