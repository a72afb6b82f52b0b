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

// Bytes that blocks keep for the backward pass, from what each would keep by itself: all of it, or, checkpointed, the
// input of every block and, while it is computed again, one block's own.
double kept_of_blocks(const std::vector<double>& each, double input_bytes, bool checkpointing);

}  // namespace simmim
