// AVX-512: vectors of 64 bytes, 32 registers.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "kernels/isa.h"

#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")  // after the headers: nothing of theirs may need more
                                                                   // than the base
#define SIMMIM_VECTOR_BYTES 64
#define SIMMIM_ACCUMULATORS 25

namespace simmim::kernels::avx512 {
// Each needs the one before it.
// clang-format off
#include "kernels/vector.inl"
#include "kernels/rows.inl"
#include "kernels/product.inl"
#include "kernels/attention.inl"
#include "kernels/table.inl"
// clang-format on
}  // namespace simmim::kernels::avx512
