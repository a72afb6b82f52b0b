// Gradient checkpointing (Chen et al., 2016): a part of a network keeps its inputs alone and is computed once more in
// the backward pass, so that its activations need no memory in between.
#pragma once
#include <functional>
#include <vector>

#include "layers/torch.h"

namespace simmim {

using NetworkPart = std::function<Tensor(const std::vector<Tensor>& inputs)>;

// part(inputs), with the same values and gradients bit for bit as a plain call. The part is run twice and must do the
// same both times (drop path does: its draws come from counters), under the autocast in force now; what it captures,
// its parameters among them, must outlive the backward pass. inputs: tensors that are no parameters; at least one
// requires a gradient. With gradients off it is a plain call.
Tensor checkpoint(const NetworkPart& part, const std::vector<Tensor>& inputs);

// Bytes that a block of one image holds for the backward pass: all that it keeps, its input among it.
struct KeptBytes {
  double all = 0, input = 0;
};

// The most that blocks hold at a time. blocks: in the order of the forward pass. Checkpointed, the backward pass takes
// them from the last to the first: the inputs up to a block, and that block's own while it is computed again.
double most_kept(const std::vector<KeptBytes>& blocks, bool checkpointing);

}  // namespace simmim
