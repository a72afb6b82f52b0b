// What the kernels need of a GPU, under few names, so that their source also runs on a CPU: there tests/cuda/on_host.h
// gives what stands in the first part here. A kernel's block is one row of threads, a warp is 32 of them.
#pragma once
#include "kernels/cpu.h"

#ifdef __CUDACC__
#include <cuda_runtime.h>

#include <cmath>
#include <stdexcept>
#include <string>

namespace simmim::cuda {

void* stream();  // LibTorch's current stream of this thread; plugin.cpp knows it

inline void check(cudaError_t error) {
  if (error != cudaSuccess) throw std::runtime_error(std::string("CUDA: ") + cudaGetErrorString(error));
}

// kernel<<<blocks, threads>>>(arguments...) with `shared` bytes of shared memory.
template <class... P, class... A>
void launch(void (*kernel)(P...), int64_t blocks, int threads, int64_t shared, const A&... arguments) {
  if (blocks == 0) return;
  if (shared > 48 * 1024)  // more than what every kernel may have
    check(cudaFuncSetAttribute(reinterpret_cast<const void*>(kernel), cudaFuncAttributeMaxDynamicSharedMemorySize,
                               static_cast<int>(shared)));
  kernel<<<static_cast<unsigned>(blocks), threads, static_cast<size_t>(shared), static_cast<cudaStream_t>(stream())>>>(
      arguments...);
  check(cudaGetLastError());
}

// The most shared memory that a block of the current device can be given.
inline int64_t shared_memory_limit() {
  int device = 0, bytes = 0;
  check(cudaGetDevice(&device));
  check(cudaDeviceGetAttribute(&bytes, cudaDevAttrMaxSharedMemoryPerBlockOptin, device));
  return bytes;
}

// Whether the current device has what the kernels are written in: bf16, tf32, ldmatrix (sm_80 and up).
inline bool has_kernels() {
  int device = 0, major = 0;
  check(cudaGetDevice(&device));
  check(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device));
  return major >= 8;
}

__device__ inline unsigned char* shared_memory() {
  extern __shared__ uint4 simmim_shared[];
  return reinterpret_cast<unsigned char*>(simmim_shared);
}

__device__ inline float shuffle_xor(float value, int mask) { return __shfl_xor_sync(0xffffffffu, value, mask); }

// Nearest even, NaN stays NaN; `low` in the lower half.
__device__ inline uint32_t pack(float low, float high) {
  uint32_t bits;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(bits) : "f"(high), "f"(low));
  return bits;
}
__device__ inline float float_of_bits(uint32_t bits) { return __uint_as_float(bits); }
__device__ inline float to_tf32(float value) {  // ten bits of mantissa, as a float
  uint32_t bits;
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(bits) : "f"(value));
  return __uint_as_float(bits);
}
__device__ inline float fast_exp(float x) { return __expf(x); }

// c += a b, a (16x16), b (16x8), c (16x8), a warp's registers as PTX lays them out (mma.m16n8k16).
__device__ inline void mma_bf16(float (&c)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}
// The same for eight columns of a in tf32 (mma.m16n8k8).
__device__ inline void mma_tf32(float (&c)[4], const float (&a)[4], const float (&b)[2]) {
  asm volatile(
      "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(__float_as_uint(a[0])), "r"(__float_as_uint(a[1])), "r"(__float_as_uint(a[2])), "r"(__float_as_uint(a[3])),
        "r"(__float_as_uint(b[0])), "r"(__float_as_uint(b[1])));
}
// Two 8x8 matrices of 16-bit numbers in shared memory, transposed: lane l < 16 names row l % 8 of matrix l / 8.
__device__ inline void load_transposed(uint32_t (&r)[2], const void* row) {
  const auto address = static_cast<uint32_t>(__cvta_generic_to_shared(row));
  asm volatile("ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%0,%1}, [%2];"
               : "=r"(r[0]), "=r"(r[1])
               : "r"(address)
               : "memory");
}

}  // namespace simmim::cuda
#elif !defined(SIMMIM_ON_HOST)
#error "for nvcc, or for a test that includes cuda/on_host.h first"
#endif

namespace simmim::cuda {

using kernels::bf16;

template <class Number>
__device__ inline Number smaller(Number a, Number b) {
  return b < a ? b : a;
}

// Four neighbouring numbers of a row.
struct alignas(16) Four {
  float v[4];
  __device__ float& operator[](int i) { return v[i]; }
  __device__ float operator[](int i) const { return v[i]; }
};
struct alignas(8) PackedFour {
  uint32_t low, high;
};
__device__ inline Four load4(const float* from) { return *reinterpret_cast<const Four*>(from); }
__device__ inline void store4(float* to, const Four& x) { *reinterpret_cast<Four*>(to) = x; }
__device__ inline Four load4(const bf16* from) {
  const PackedFour p = *reinterpret_cast<const PackedFour*>(from);
  return {float_of_bits(p.low << 16), float_of_bits(p.low & 0xffff0000u), float_of_bits(p.high << 16),
          float_of_bits(p.high & 0xffff0000u)};
}
__device__ inline void store4(bf16* to, const Four& x) {
  *reinterpret_cast<PackedFour*>(to) = {pack(x[0], x[1]), pack(x[2], x[3])};
}

__device__ inline float warp_sum(float value) {
  for (int mask = 16; mask > 0; mask /= 2) value += shuffle_xor(value, mask);
  return value;
}

}  // namespace simmim::cuda
