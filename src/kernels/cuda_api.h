// What the CUDA plug-in (src/cuda/plugin.cpp) answers to the engine, as plain C functions.
#pragma once
#include <cstddef>
#include <cstdint>

#include "kernels/cpu.h"

namespace simmim {

struct CudaDevice {
  char name[256];
  int major, minor;  // compute capability
  int driver;        // CUDA version the driver serves, 1000 * major + 10 * minor
  int64_t memory_bytes;
};

struct CudaApi {
  int version;                           // kCudaApiVersion of the plug-in's build
  int (*count)(char* why, size_t size);  // usable GPUs; 0: `why` says what CUDA answered
  void (*describe)(int index, CudaDevice* device);
  int64_t (*peak_memory_bytes)(int index);
  void (*synchronize)(int index);
  // On the current device and stream; they take pointers into the device's memory and throw what CUDA answers.
  const kernels::Operations<float, float>* in_float;
  const kernels::Operations<float, kernels::bf16>* in_bf16;
};

inline constexpr int kCudaApiVersion = 2;
inline constexpr const char* kCudaApiSymbol = "simmim_cuda_api";  // extern "C" const CudaApi* simmim_cuda_api()

}  // namespace simmim
