// The inner loops of resize.cpp, with AVX2 or AVX-512 where the processor has it. All do exact integer arithmetic, so
// which of them runs changes no bit.
#pragma once
#include <cstdint>

namespace simmim::resize_kernels {

inline constexpr int kPrecision = 22;  // bits after the point of a weight
inline constexpr int64_t kLanes = 16;

// out[j] = clip((2^21 + sum over k < taps of weight[k] * in[k * stride + j]) >> 22) for 0 <= j < n; n is a multiple
// of 16.
void weighted_sum(const uint8_t* in, int64_t stride, const int32_t* weight, int64_t taps, uint8_t* out, int64_t n);

// The same for three groups of 16 bytes that lie behind one another in steps of 48: out[c * plane + j] from
// in[k * 48 + c * 16 + j], c < 3, j < 16.
void weighted_pixel(const uint8_t* in, const int32_t* weight, int64_t taps, uint8_t* out, int64_t plane);

// A 16 x 16 block of bytes: out[j * out_stride + i] = in[i][offset + j].
void transpose_16x16(const uint8_t* const in[16], int64_t offset, uint8_t* out, int64_t out_stride);

}  // namespace simmim::resize_kernels
