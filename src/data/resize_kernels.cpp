#include "data/resize_kernels.h"

#include <algorithm>
#include <cstring>

#if defined(__x86_64__)
// g++ 12 finds fault with its own AVX-512 header (bug 105593).
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#include <immintrin.h>
#endif

namespace simmim::resize_kernels {
namespace {

// 16 sums, in as many vectors as the instruction set needs. Each has add(16 bytes, weight) and store(16 bytes).
struct Plain {
  int32_t sum[kLanes];
  Plain() { std::fill(sum, sum + kLanes, 1 << (kPrecision - 1)); }
  void add(const uint8_t* in, int32_t weight) {
    for (int64_t j = 0; j < kLanes; ++j) sum[j] += weight * in[j];
  }
  void store(uint8_t* out) const {
    for (int64_t j = 0; j < kLanes; ++j) out[j] = static_cast<uint8_t>(std::clamp(sum[j] >> kPrecision, 0, 255));
  }
};

#if defined(__x86_64__)
#define SIMMIM_AVX2 __attribute__((target("avx2")))
#define SIMMIM_AVX512 __attribute__((target("avx512f,avx512bw,avx512vl")))

struct Avx2 {
  __m256i low, high;
  SIMMIM_AVX2 Avx2() : low(_mm256_set1_epi32(1 << (kPrecision - 1))), high(low) {}
  SIMMIM_AVX2 void add(const uint8_t* in, int32_t weight) {
    const __m256i w = _mm256_set1_epi32(weight);
    const __m128i pixels = _mm_loadu_si128(reinterpret_cast<const __m128i*>(in));
    low = _mm256_add_epi32(low, _mm256_mullo_epi32(w, _mm256_cvtepu8_epi32(pixels)));
    high = _mm256_add_epi32(high, _mm256_mullo_epi32(w, _mm256_cvtepu8_epi32(_mm_srli_si128(pixels, 8))));
  }
  SIMMIM_AVX2 void store(uint8_t* out) const {
    // 2 x 8 numbers of 32 bits -> 16 of 16 bits (order within 128-bit halves put right) -> 16 bytes, saturating
    const __m256i words = _mm256_permute4x64_epi64(
        _mm256_packs_epi32(_mm256_srai_epi32(low, kPrecision), _mm256_srai_epi32(high, kPrecision)), 0xd8);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out),
                     _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1)));
  }
};

struct Avx512 {
  __m512i sum;
  SIMMIM_AVX512 Avx512() : sum(_mm512_set1_epi32(1 << (kPrecision - 1))) {}
  SIMMIM_AVX512 void add(const uint8_t* in, int32_t weight) {
    const __m512i pixels = _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(in)));
    sum = _mm512_add_epi32(sum, _mm512_mullo_epi32(_mm512_set1_epi32(weight), pixels));
  }
  SIMMIM_AVX512 void store(uint8_t* out) const {
    const __m512i positive = _mm512_max_epi32(_mm512_srai_epi32(sum, kPrecision), _mm512_setzero_si512());
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out), _mm512_cvtusepi32_epi8(positive));
  }
};
#endif

// The two loops, once for each instruction set (a template cannot carry the target attribute).
#define SIMMIM_LOOPS(Sums, target)                                                                                \
  target void rows_##Sums(const uint8_t* in, int64_t stride, const int32_t* weight, int64_t taps, uint8_t* out,   \
                          int64_t n) {                                                                            \
    for (int64_t j = 0; j < n; j += kLanes) {                                                                     \
      Sums sums;                                                                                                  \
      for (int64_t k = 0; k < taps; ++k) sums.add(in + k * stride + j, weight[k]);                                \
      sums.store(out + j);                                                                                        \
    }                                                                                                             \
  }                                                                                                               \
  target void pixel_##Sums(const uint8_t* in, const int32_t* weight, int64_t taps, uint8_t* out, int64_t plane) { \
    Sums red, green, blue;                                                                                        \
    for (int64_t k = 0; k < taps; ++k, in += 3 * kLanes) {                                                        \
      red.add(in, weight[k]);                                                                                     \
      green.add(in + kLanes, weight[k]);                                                                          \
      blue.add(in + 2 * kLanes, weight[k]);                                                                       \
    }                                                                                                             \
    red.store(out);                                                                                               \
    green.store(out + plane);                                                                                     \
    blue.store(out + 2 * plane);                                                                                  \
  }

SIMMIM_LOOPS(Plain, )
#if defined(__x86_64__)
SIMMIM_LOOPS(Avx2, SIMMIM_AVX2)
SIMMIM_LOOPS(Avx512, SIMMIM_AVX512)
#endif
#undef SIMMIM_LOOPS

struct Kernels {
  decltype(&rows_Plain) rows = rows_Plain;
  decltype(&pixel_Plain) pixel = pixel_Plain;
};

Kernels choose_kernels() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"))
    return {rows_Avx512, pixel_Avx512};
  if (__builtin_cpu_supports("avx2")) return {rows_Avx2, pixel_Avx2};
#endif
  return {};
}

const Kernels kKernels = choose_kernels();

}  // namespace

void weighted_sum(const uint8_t* in, int64_t stride, const int32_t* weight, int64_t taps, uint8_t* out, int64_t n) {
  kKernels.rows(in, stride, weight, taps, out, n);
}

void weighted_pixel(const uint8_t* in, const int32_t* weight, int64_t taps, uint8_t* out, int64_t plane) {
  kKernels.pixel(in, weight, taps, out, plane);
}

void transpose_16x16(const uint8_t* const in[16], int64_t offset, uint8_t* out, int64_t out_stride) {
#if defined(__x86_64__)
  // Four perfect shuffles of the 256 bytes, each of which moves one index bit from "row" to "column".
  __m128i a[16], b[16];
#pragma GCC unroll 16
  for (int i = 0; i < 16; ++i) a[i] = _mm_loadu_si128(reinterpret_cast<const __m128i*>(in[i] + offset));
#pragma GCC unroll 4
  for (int round = 0; round < 4; ++round) {
#pragma GCC unroll 8
    for (int i = 0; i < 8; ++i) {
      b[2 * i] = _mm_unpacklo_epi8(a[i], a[i + 8]);
      b[2 * i + 1] = _mm_unpackhi_epi8(a[i], a[i + 8]);
    }
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i) a[i] = b[i];
  }
#pragma GCC unroll 16
  for (int i = 0; i < 16; ++i) _mm_storeu_si128(reinterpret_cast<__m128i*>(out + i * out_stride), a[i]);
#else
  for (int i = 0; i < 16; ++i)
    for (int j = 0; j < 16; ++j) out[j * out_stride + i] = in[i][offset + j];
#endif
}

}  // namespace simmim::resize_kernels
