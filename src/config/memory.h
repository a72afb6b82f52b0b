// How much memory a training run needs, estimated before it starts from the sizes of its model, and the number of
// pieces that a batch is computed in so that it fits.
#pragma once
#include "core/json.h"
#include "layers/scope.h"

namespace simmim {

// In bytes. At the peak, in the backward pass of a piece, all of these are held at once.
struct MemoryEstimate {
  double program = 0;    // LibTorch and its caches; on a GPU nothing
  double weights = 0;    // and their copies in the type of the matrix products
  double training = 0;   // gradients and AdamW's two moments
  double per_image = 0;  // what the forward pass keeps of one image
  double loader = 0;     // decoded batches, held ready; on the CPU

  double total(int64_t images) const {  // images: of one piece
    return program + weights + training + loader + per_image * static_cast<double>(images);
  }
};

// kept_per_image: the model's kept_bytes on `on`, what the run computes with; images: `batch_size` of `image_size`
// pixels a side.
MemoryEstimate estimate_memory(int64_t parameters, double kept_per_image, const ModelContext& on, int64_t batch_size,
                               int64_t image_size);

// The least number of pieces with which the estimate stays within nine tenths of `limit` bytes; as many as images where
// nothing does. limit 0: unknown, one piece.
int64_t pieces_that_fit(const MemoryEstimate& estimate, int64_t batch_size, double limit);

// accumulate=auto: the above on the device of `on`.
int64_t auto_pieces(const MemoryEstimate& estimate, int64_t batch_size, const ModelContext& on);

}  // namespace simmim
