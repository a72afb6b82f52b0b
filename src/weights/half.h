// 16-bit floating point numbers <-> float. bf16 is the upper half of a float; f16 is IEEE binary16.
#pragma once
#include <cstdint>

namespace simmim {

float from_bf16(uint16_t bits);
float from_f16(uint16_t bits);
uint16_t to_bf16(float value);  // to the nearest, ties to even; NaN stays NaN
uint16_t to_f16(float value);   // to the nearest, ties to even; beyond 65504 infinity; NaN stays NaN

}  // namespace simmim
