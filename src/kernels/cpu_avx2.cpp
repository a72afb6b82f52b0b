// AVX2: vectors of 32 bytes, 16 registers.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "kernels/isa.h"

#pragma GCC target("avx2,fma")  // after the headers: nothing of theirs may need more than the base
#define SIMMIM_VECTOR_BYTES 32
#define SIMMIM_ACCUMULATORS 12

namespace simmim::kernels::avx2 {
// Each needs the one before it.
// clang-format off
#include "kernels/vector.inl"
#include "kernels/rows.inl"
#include "kernels/product.inl"
#include "kernels/attention.inl"
#include "kernels/table.inl"
// clang-format on
}  // namespace simmim::kernels::avx2
