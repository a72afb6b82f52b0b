// The device that a run computes on, and the CUDA plug-in that makes GPUs usable.
//
// The engine itself links LibTorch's CPU half. libsimmim_cuda.so, beside it, brings the CUDA half in; it is loaded only
// where a GPU is asked for or a driver is present, since it costs a second at every start.
#pragma once
#include <c10/core/Device.h>

#include <cstdint>
#include <string>

#include "kernels/cpu.h"

namespace simmim {

// "cpu" | "cuda" | "cuda:N" | "auto" -> the device; "cuda" is cuda:0, "auto" the first GPU that can be used, else the
// CPU. Must run before anything else asks ATen about CUDA: ATen asks once and remembers the answer.
// Throws Code::usage for another text, Code::device where a GPU is asked for and there is none that can be used.
at::Device resolve_device(const std::string& text);

// The same for one of several processes on a host: each has a GPU of its own, by its number on the host.
at::Device rank_device(const std::string& text, int local_rank);

struct DeviceInfo {
  std::string name;          // "AMD EPYC 9R14", "NVIDIA H100 80GB HBM3"
  std::string capability;    // "avx512_bf16" or "" on a CPU, "sm_90" on a GPU
  std::string driver;        // CUDA's version of the driver, "13.0"; "" on a CPU
  int64_t memory_bytes = 0;  // of the machine or of the GPU
  bool fast_bf16 = false;    // has bf16 arithmetic in hardware (avx512_bf16, sm_80 and up)
};
DeviceInfo device_info(at::Device device);

// The most bytes that tensors have held on a GPU at a time since the start; on the CPU the process's peak resident
// size.
int64_t peak_memory_bytes(at::Device device);

// The bytes that this process may use: the GPU's memory, or the machine's and at most what its control groups allow.
// What is free at the moment does not count, so that the same run does the same on the same machine.
int64_t memory_limit(at::Device device);

// The least memory limit of a process's control groups and all above them; the largest number where there is none.
// groups: /proc/PID/cgroup with lines "ID:CONTROLLERS:PATH" (version 2 names no controllers); root: where they are
// mounted.
int64_t cgroup_limit(const std::string& groups, const std::string& root);

// The fused operations of a device; nullptr if it has none for these number types.
template <class T, class E>
const kernels::Operations<T, E>* operations_on(at::Device device);

// Waits until the GPU has done what was asked of it; nothing on the CPU.
void synchronize(at::Device device);

}  // namespace simmim
