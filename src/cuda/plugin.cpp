// libsimmim_cuda.so: brings LibTorch's CUDA half into a process that has loaded its CPU half only. Linking
// libtorch_cuda is half of its work: loading this library registers every CUDA kernel with the dispatcher. The other
// half are kernels of our own (block.cu).
#include <ATen/cuda/CUDAContext.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAFunctions.h>
#include <cuda_runtime_api.h>

#include <algorithm>
#include <cstdio>
#include <exception>

#include "cuda/block.h"
#include "kernels/cuda_api.h"

namespace simmim {

void* cuda::stream() { return at::cuda::getCurrentCUDAStream(); }

namespace {

int count(char* why, size_t size) {
  if (size > 0) why[0] = '\0';
  try {
    return c10::cuda::device_count_ensure_non_zero();
  } catch (const c10::Error& error) {
    std::snprintf(why, size, "%s", error.what_without_backtrace());
  } catch (const std::exception& error) {
    std::snprintf(why, size, "%s", error.what());
  }
  return 0;
}

void describe(int index, CudaDevice* device) {
  const cudaDeviceProp& properties = *at::cuda::getDeviceProperties(static_cast<c10::DeviceIndex>(index));
  std::copy_n(properties.name, sizeof(device->name), device->name);
  device->major = properties.major;
  device->minor = properties.minor;
  device->memory_bytes = static_cast<int64_t>(properties.totalGlobalMem);
  device->driver = 0;
  cudaDriverGetVersion(&device->driver);
}

int64_t peak_memory_bytes(int index) {
  using c10::CachingAllocator::StatType;
  const auto stats = c10::cuda::CUDACachingAllocator::getDeviceStats(static_cast<c10::DeviceIndex>(index));
  return stats.allocated_bytes[static_cast<size_t>(StatType::AGGREGATE)].peak;
}

void synchronize(int index) {
  c10::cuda::set_device(static_cast<c10::DeviceIndex>(index));
  c10::cuda::device_synchronize();
}

}  // namespace
}  // namespace simmim

extern "C" const simmim::CudaApi* simmim_cuda_api() {
  static const simmim::CudaApi api{simmim::kCudaApiVersion,
                                   simmim::count,
                                   simmim::describe,
                                   simmim::peak_memory_bytes,
                                   simmim::synchronize,
                                   simmim::cuda::operations<float>(),
                                   simmim::cuda::operations<simmim::kernels::bf16>()};
  return &api;
}
