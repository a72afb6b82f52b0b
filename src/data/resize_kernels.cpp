#include "data/resize_kernels.h"

#include <algorithm>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace simmim::resize_kernels {
namespace {

void weighted_sum_plain(const uint8_t* in, int64_t stride, const int32_t* weight, int64_t taps, uint8_t* out, int64_t n) {
  for (int64_t j = 0; j < n; j += kLanes) {
    int32_t sum[kLanes];
    std::fill(sum, sum + kLanes, 1 << (kPrecision - 1));
    for (int64_t k = 0; k < taps; ++k)
      for (int64_t lane = 0; lane < kLanes; ++lane) sum[lane] += weight[k] * in[k * stride + j + lane];
    for (int64_t lane = 0; lane < kLanes; ++lane)
      out[j + lane] = static_cast<uint8_t>(std::clamp(sum[lane] >> kPrecision, 0, 255));
  }
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) void weighted_sum_avx2(const uint8_t* in, int64_t stride, const int32_t* weight,
                                                       int64_t taps, uint8_t* out, int64_t n) {
  const __m256i half = _mm256_set1_epi32(1 << (kPrecision - 1));
  for (int64_t j = 0; j < n; j += kLanes) {
    __m256i low = half, high = half;
    const uint8_t* at = in + j;
    for (int64_t k = 0; k < taps; ++k, at += stride) {
      const __m256i w = _mm256_set1_epi32(weight[k]);
      const __m128i pixels = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
      low = _mm256_add_epi32(low, _mm256_mullo_epi32(w, _mm256_cvtepu8_epi32(pixels)));
      high = _mm256_add_epi32(high, _mm256_mullo_epi32(w, _mm256_cvtepu8_epi32(_mm_srli_si128(pixels, 8))));
    }
    // 2 x 8 words of 32 bits -> 16 of 16 bits (order within 128-bit halves put right) -> 16 bytes, saturating
    const __m256i words = _mm256_permute4x64_epi64(
        _mm256_packs_epi32(_mm256_srai_epi32(low, kPrecision), _mm256_srai_epi32(high, kPrecision)), 0xd8);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + j),
                     _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1)));
  }
}
#endif

}  // namespace

void weighted_sum(const uint8_t* in, int64_t stride, const int32_t* weight, int64_t taps, uint8_t* out, int64_t n) {
#if defined(__x86_64__)
  static const bool avx2 = __builtin_cpu_supports("avx2");
  if (avx2) return weighted_sum_avx2(in, stride, weight, taps, out, n);
#endif
  weighted_sum_plain(in, stride, weight, taps, out, n);
}

void transpose_16x16(const uint8_t* const in[16], uint8_t* out, int64_t out_stride) {
#if defined(__x86_64__)
  // Four perfect shuffles of the 256 bytes, each of which moves one index bit from "row" to "column".
  __m128i a[16], b[16];
  for (int i = 0; i < 16; ++i) a[i] = _mm_loadu_si128(reinterpret_cast<const __m128i*>(in[i]));
  const auto shuffle = [](const __m128i* from, __m128i* to) {
    for (int i = 0; i < 8; ++i) {
      to[2 * i] = _mm_unpacklo_epi8(from[i], from[i + 8]);
      to[2 * i + 1] = _mm_unpackhi_epi8(from[i], from[i + 8]);
    }
  };
  shuffle(a, b);
  shuffle(b, a);
  shuffle(a, b);
  shuffle(b, a);
  for (int i = 0; i < 16; ++i) _mm_storeu_si128(reinterpret_cast<__m128i*>(out + i * out_stride), a[i]);
#else
  for (int i = 0; i < 16; ++i)
    for (int j = 0; j < 16; ++j) out[j * out_stride + i] = in[i][j];
#endif
}

}  // namespace simmim::resize_kernels
