// Which step a forward pass belongs to: all that a layer may know of training.
#pragma once
#include <cstdint>
#include <functional>

namespace at {
class Tensor;
}

namespace simmim {

struct StepContext {
  bool training = false;  // drop path acts, and only the loss is wanted
  uint64_t seed = 0;      // of the run; with step, block and image it fixes what drop path drops
  int64_t step = 0;
  int64_t first = 0;  // index of this piece's first image within the step's whole batch
  // The whole batch of which this piece is a part (gradient accumulation, several processes): its images and its masked
  // target pixels (SimMim::masked_pixels). The pieces' losses then add up to the whole batch's loss. 0: this piece is
  // the whole batch.
  int64_t batch_images = 0;
  double batch_masked = 0;
  // Sees the tokens (B,L,D) that each block leaves, in order; nullptr: nobody looks.
  const std::function<void(const at::Tensor& tokens)>* after_block = nullptr;
};

}  // namespace simmim
