#include "train/optimizer.h"

#include "core/error.h"

namespace simmim {

AdamW::AdamW(std::vector<ParameterGroup> groups, const OptimizerOptions& options)
    : groups_(std::move(groups)), options_(options) {
  for (const ParameterGroup& group : groups_) {
    GroupTensors& tensors = tensors_.emplace_back();
    for (const auto& [name, parameter] : group.parameters) {
      SIMMIM_CHECK(parameter.requires_grad() && parameter.is_leaf(), "{} is not trainable", name);
      given_grads_ = given_grads_ || parameter.grad().defined();
      tensors.parameters.push_back(parameter);
      tensors.exp_avg.push_back(at::zeros_like(parameter));
      tensors.exp_avg_sq.push_back(at::zeros_like(parameter));
      tensors.steps.push_back(at::zeros({}, parameter.options().dtype(at::kFloat)));
      all_steps_.push_back(tensors.steps.back());
    }
  }
}

Tensor AdamW::step(const Schedule& schedule, int64_t n, const Tensor& loss) {
  const at::NoGradGuard no_grad;
  gather_grads();
  const Tensor norm = at::linalg_vector_norm(at::stack(at::_foreach_norm(all_grads_, 2)));
  const Tensor finite = at::isfinite(norm + loss.detach()).to(at::kFloat);
  const Tensor not_finite = 1 - finite;
  // torch.nn.utils.clip_grad_norm_ multiplies by clip / (norm + 1e-6) where that is below 1; the fused kernel divides.
  std::optional<Tensor> scale;
  if (options_.clip_norm > 0) {
    scale = at::clamp_min((norm + 1e-6) / options_.clip_norm, 1);
    if (norm.scalar_type() == at::kDouble) {  // the kernel's scale is a float: divide here, to the last digit
      at::_foreach_div_(all_grads_, *scale);
      scale.reset();
    }
  }
  at::_foreach_add_(all_steps_, finite);
  for (size_t g = 0; g < groups_.size(); ++g) {
    GroupTensors& t = tensors_[g];
    at::_fused_adamw_(t.parameters, t.grads, t.exp_avg, t.exp_avg_sq, {}, t.steps,
                      schedule.rate(n, groups_[g].lr_scale), options_.betas[0], options_.betas[1],
                      groups_[g].weight_decay, options_.eps, /*amsgrad=*/false,
                      /*maximize=*/false, scale, not_finite);
  }
  return norm;
}

void AdamW::gather_grads() {
  all_grads_.clear();
  for (GroupTensors& t : tensors_) {
    t.grads.clear();
    for (Tensor& parameter : t.parameters) {
      if (!parameter.grad().defined()) parameter.mutable_grad() = at::zeros_like(parameter);
      t.grads.push_back(parameter.grad());
    }
    all_grads_.insert(all_grads_.end(), t.grads.begin(), t.grads.end());
  }
}

void AdamW::zero_grad() {
  const at::NoGradGuard no_grad;
  if (given_grads_) {
    gather_grads();
    at::_foreach_zero_(all_grads_);
    return;
  }
  all_grads_.clear();
  for (GroupTensors& t : tensors_) {
    t.grads.clear();  // they would keep the gradients from being the backward pass's own tensors
    for (Tensor& parameter : t.parameters) parameter.mutable_grad().reset();
  }
}

NamedTensors AdamW::state() const {
  NamedTensors state;
  for (size_t g = 0; g < groups_.size(); ++g)
    for (size_t i = 0; i < groups_[g].parameters.size(); ++i) {
      const std::string& name = groups_[g].parameters[i].first;
      state.emplace_back("opt.exp_avg." + name, tensors_[g].exp_avg[i]);
      state.emplace_back("opt.exp_avg_sq." + name, tensors_[g].exp_avg_sq[i]);
      state.emplace_back("opt.step." + name, tensors_[g].steps[i]);
    }
  return state;
}

}  // namespace simmim
