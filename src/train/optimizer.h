// AdamW over parameter groups, with global-norm clipping and the non-finite guard folded into the fused update: no
// extra pass over the gradients and no wait for the device.
#pragma once
#include "config/optimizer.h"
#include "config/schedule.h"
#include "layers/scope.h"

namespace simmim {

// Parameters that share a rate and a decay. Official: optimizer.py:47-66 (pre-training), 69-183 (fine-tuning).
struct ParameterGroup {
  double lr_scale = 1;
  double weight_decay = 0;
  NamedTensors parameters;
};

class AdamW {
 public:
  // The decay is the groups' own.
  AdamW(std::vector<ParameterGroup> groups, const OptimizerOptions& options);

  // One update from the parameters' .grad at the rates of optimizer step n. Returns the global gradient norm before
  // clipping (0-d). A norm or loss (0-d) that is not finite leaves parameters and state as they were. The gradients
  // stay (clipped or not): call zero_grad before the next backward.
  Tensor step(const Schedule& schedule, int64_t n, const Tensor& loss);
  // Gradients that were there when the optimizer was made (views into buckets) become 0; others are let go, so that the
  // backward pass hands over its own tensors instead of adding to zeros.
  void zero_grad();

  // Moments and step counts under "opt.exp_avg.NAME", "opt.exp_avg_sq.NAME", "opt.step.NAME"; the tensors are the
  // live ones, so copying into them restores the state.
  NamedTensors state() const;
  const std::vector<ParameterGroup>& groups() const { return groups_; }

 private:
  void gather_grads();  // a parameter that had no part in the step gets zeros

  struct GroupTensors {
    std::vector<Tensor> parameters, grads, exp_avg, exp_avg_sq, steps;
  };
  std::vector<ParameterGroup> groups_;
  OptimizerOptions options_;
  std::vector<GroupTensors> tensors_;
  std::vector<Tensor> all_grads_, all_steps_;
  bool given_grads_ = false;
};

}  // namespace simmim
