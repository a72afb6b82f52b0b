// Stochastic depth: in training a residual branch is left out for whole images (Huang et al., ECCV 2016).
#pragma once
#include <vector>

#include "layers/step.h"
#include "layers/torch.h"

namespace simmim {

// Factors (B) of `options` that a branch is multiplied by: 0 with probability `rate`, else 1/(1-rate). Undefined where
// nothing is dropped (rate 0, or not training). Drawn from counters (seed, step, branch, image), so a step can be
// repeated on its own and in pieces. branch: 2*block for attention, 2*block+1 for the MLP.
Tensor drop_path(double rate, int64_t images, int64_t branch, const StepContext& step,
                 const at::TensorOptions& options);

// Rates of the blocks: 0 at the first, rising linearly to `rate` at the last (timm's linspace).
std::vector<double> drop_path_rates(double rate, int64_t blocks);

}  // namespace simmim
