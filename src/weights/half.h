// 16-bit floating point numbers <-> float. bf16 is the upper half of a float; f16 is IEEE binary16.
#pragma once
#include <bit>
#include <cmath>
#include <cstdint>

namespace simmim {

inline float from_bf16(uint16_t bits) { return std::bit_cast<float>(uint32_t{bits} << 16); }

inline float from_f16(uint16_t bits) {
  const int exponent = bits >> 10 & 31, fraction = bits & 1023;
  const uint32_t sign = uint32_t{bits} >> 15 << 31;
  if (exponent == 31) return std::bit_cast<float>(sign | 0x7F800000u | static_cast<uint32_t>(fraction) << 13);
  const float magnitude =
      exponent == 0
          ? std::ldexp(static_cast<float>(fraction), -24)
          : std::bit_cast<float>(static_cast<uint32_t>(exponent + 112) << 23 | static_cast<uint32_t>(fraction) << 13);
  return std::bit_cast<float>(std::bit_cast<uint32_t>(magnitude) | sign);
}

// To the nearest, ties to even; NaN stays NaN.
inline uint16_t to_bf16(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  if (std::isnan(value)) return static_cast<uint16_t>(bits >> 16 | 0x40);
  return static_cast<uint16_t>((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

// To the nearest, ties to even; beyond 65504 (from 65520 on) infinity; NaN stays NaN.
inline uint16_t to_f16(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  const auto sign = static_cast<uint16_t>(bits >> 16 & 0x8000);
  const float magnitude = std::abs(value);
  if (std::isnan(value)) return sign | 0x7E00;
  if (magnitude >= 65520.0f) return sign | 0x7C00;
  // Below 2^-14 the result is a multiple of 2^-24: adding 0.5 lets the float unit round there.
  if (magnitude < 0x1p-14f)
    return sign | static_cast<uint16_t>(std::bit_cast<uint32_t>(magnitude + 0.5f) - 0x3F000000u);
  const uint32_t rounded = (bits & 0x7FFFFFFF) + 0xFFF + (bits >> 13 & 1);
  return sign | static_cast<uint16_t>((rounded >> 13) - (112u << 10));
}

}  // namespace simmim
