// The same source compiled for two instruction sets: rows.inl and attention.inl inside cpu_avx2.cpp and cpu_avx512.cpp.
#pragma once
#include "kernels/cpu.h"

namespace simmim::kernels {
namespace avx2 {
template <class T, class E>
const Operations<T, E>* table();
}
namespace avx512 {
template <class T, class E>
const Operations<T, E>* table();
}
}  // namespace simmim::kernels
