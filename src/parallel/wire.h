// The way that tensors take between processes: MPI on the CPU, NCCL on GPUs.
#pragma once
#include <functional>
#include <memory>
#include <string>

#include "layers/torch.h"

namespace simmim {

// Operations on contiguous tensors of the wire's device, one after the other beside what the caller goes on to do.
// Every rank starts the same ones in the same order, on one thread.
class Wire {
 public:
  virtual ~Wire() = default;
  virtual void start_broadcast(const Tensor& tensor) = 0;  // rank 0's values into everyone's
  virtual void start_sum(const Tensor& tensor) = 0;        // over all ranks, in place; f32, f64 or i64
  // True once all that was started may be read: at once on a GPU, whose own order of work sees to it.
  virtual bool done_within(int milliseconds) = 0;
  virtual void close() {}  // by all ranks, when all went well
};

struct MpiWorld {
  std::unique_ptr<Wire> wire;
  int rank = 0, size = 1;  // as MPI found them
};

// libsimmim_mpi.so, beside the engine. Code::device if it was not built or does not load.
MpiWorld open_mpi();

// libsimmim_cuda.so with NCCL. share_id hands rank 0's words to all. Code::device if it was built without.
std::unique_ptr<Wire> open_nccl(int rank, int size, int device,
                                const std::function<std::string(std::string)>& share_id);

}  // namespace simmim
