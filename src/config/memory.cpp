#include "config/memory.h"

#include "kernels/device.h"

namespace simmim {
namespace {

constexpr double kProgram = 200e6;  // measured: peak of a process that trains next to nothing
constexpr double kReadyBatches = 4;
constexpr double kShare = 0.9;  // of the memory; the rest is for what an estimate leaves out

}  // namespace

MemoryEstimate estimate_memory(int64_t parameters, double kept_per_image, const ModelContext& on, int64_t batch_size,
                               int64_t image_size) {
  const double bytes = on.dtype == at::kDouble ? 8 : 4, count = static_cast<double>(parameters);
  const double pixels = static_cast<double>(3 * image_size * image_size);
  return {.program = on.device.is_cpu() ? kProgram : 0,
          .weights = count * (bytes + (on.autocast ? 2 : 0)),
          .training = 3 * count * bytes,
          .per_image = kept_per_image,
          .loader = on.device.is_cpu() ? kReadyBatches * static_cast<double>(batch_size) * pixels : 0};
}

int64_t pieces_that_fit(const MemoryEstimate& estimate, int64_t batch_size, double limit) {
  int64_t pieces = 1;
  while (limit > 0 && pieces < batch_size && estimate.total((batch_size + pieces - 1) / pieces) > kShare * limit)
    ++pieces;
  return pieces;
}

int64_t auto_pieces(const MemoryEstimate& estimate, int64_t batch_size, const ModelContext& on) {
  return pieces_that_fit(estimate, batch_size, static_cast<double>(memory_limit(on.device)));
}

}  // namespace simmim
