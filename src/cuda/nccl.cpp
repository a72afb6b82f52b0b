// Sums over the GPUs of a run by NCCL, on a stream of its own beside the one that computes. Built where nccl.h is;
// the library itself is the one that LibTorch brings.
#include <ATen/cuda/CUDAContext.h>
#include <c10/cuda/CUDAFunctions.h>
#include <cuda_runtime_api.h>
#include <nccl.h>

#include <cstdio>
#include <cstring>

#include "parallel/wire_api.h"

namespace simmim {
namespace {

ncclComm_t group = nullptr;
cudaStream_t beside = nullptr;
cudaEvent_t reached = nullptr;

int explain(ncclResult_t result, WireWhy* why) {
  if (result == ncclSuccess) return 0;
  std::snprintf(why->text, sizeof why->text, "NCCL: %s (%s)", ncclGetErrorString(result), ncclGetLastError(group));
  return 1;
}

int explain(cudaError_t result, WireWhy* why) {
  if (result == cudaSuccess) return 0;
  std::snprintf(why->text, sizeof why->text, "CUDA: %s", cudaGetErrorString(result));
  return 1;
}

ncclDataType_t type_of(WireType type) {
  switch (type) {
    case WireType::f32:
      return ncclFloat;
    case WireType::f64:
      return ncclDouble;
    case WireType::i64:
      return ncclInt64;
    case WireType::bytes:
      break;
  }
  return ncclUint8;
}

cudaStream_t computing() { return at::cuda::getCurrentCUDAStream().stream(); }

// What `second` is given from now on waits for what `first` has been given.
int order(cudaStream_t first, cudaStream_t second, WireWhy* why) {
  if (explain(cudaEventRecord(reached, first), why)) return 1;
  return explain(cudaStreamWaitEvent(second, reached, 0), why);
}

int unique_id(char* id, size_t size, WireWhy* why) {
  ncclUniqueId made;
  if (size < sizeof made) {
    std::snprintf(why->text, sizeof why->text, "NCCL: an id has %zu bytes", sizeof made);
    return 1;
  }
  if (explain(ncclGetUniqueId(&made), why)) return 1;
  std::memcpy(id, &made, sizeof made);
  return 0;
}

int init(int rank, int size, const char* id, int device, WireWhy* why) {
  ncclUniqueId made;
  std::memcpy(&made, id, sizeof made);
  c10::cuda::set_device(static_cast<c10::DeviceIndex>(device));
  if (explain(cudaStreamCreateWithFlags(&beside, cudaStreamNonBlocking), why)) return 1;
  if (explain(cudaEventCreateWithFlags(&reached, cudaEventDisableTiming), why)) return 1;
  return explain(ncclCommInitRank(&group, size, made, rank), why);
}

int start_sum(void* data, int64_t count, WireType type, WireWhy* why) {
  if (order(computing(), beside, why)) return 1;
  return explain(ncclAllReduce(data, data, static_cast<size_t>(count), type_of(type), ncclSum, group, beside), why);
}

int wait(WireWhy* why) { return order(beside, computing(), why); }

int broadcast(void* data, int64_t count, WireType type, WireWhy* why) {
  if (order(computing(), beside, why)) return 1;
  if (explain(ncclBroadcast(data, data, static_cast<size_t>(count), type_of(type), 0, group, beside), why)) return 1;
  return wait(why);
}

}  // namespace
}  // namespace simmim

extern "C" const simmim::NcclApi* simmim_nccl_api() {
  static const simmim::NcclApi api{simmim::kWireVersion, simmim::unique_id, simmim::init,
                                   simmim::broadcast,    simmim::start_sum, simmim::wait};
  return &api;
}
