// What adds up tensors over processes, as plain C functions of a plug-in: MPI on the CPU (src/mpi), NCCL on GPUs
// (src/cuda/nccl.cpp). Each function returns 0, or another number with `why` filled.
#pragma once
#include <cstddef>
#include <cstdint>

namespace simmim {

enum class WireType : int { f32, f64, i64, bytes };

struct WireWhy {
  char text[512];
};

// All of its functions are called on one thread, one operation after the other.
struct MpiApi {
  int version;                                      // kWireVersion of the plug-in's build
  int (*init)(int* rank, int* size, WireWhy* why);  // finds the other processes
  int (*start_broadcast)(void* data, int64_t count, WireType type, WireWhy* why);  // rank 0's values to all
  int (*start_sum)(void* data, int64_t count, WireType type, WireWhy* why);        // in place
  int (*done)(int* done, WireWhy* why);                                            // has what was started last ended?
  int (*finalize)(WireWhy* why);  // all ranks; nothing is called after it
};

// All of its functions are called on the thread that computes, and return before the GPU has done the work.
struct NcclApi {
  int version;
  int (*unique_id)(char* id, size_t size, WireWhy* why);  // of rank 0, handed to all; size >= 128
  int (*init)(int rank, int size, const char* id, int device, WireWhy* why);
  int (*broadcast)(void* data, int64_t count, WireType type, WireWhy* why);
  int (*start_sum)(void* data, int64_t count, WireType type, WireWhy* why);  // beside what is computed from now on
  int (*wait)(WireWhy* why);  // what is computed from now on comes after all that was started
};

inline constexpr int kWireVersion = 1;
inline constexpr const char* kMpiApiSymbol = "simmim_mpi_api";    // extern "C" const MpiApi* simmim_mpi_api()
inline constexpr const char* kNcclApiSymbol = "simmim_nccl_api";  // extern "C" const NcclApi* simmim_nccl_api()

}  // namespace simmim
