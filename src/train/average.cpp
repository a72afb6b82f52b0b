#include "train/average.h"

namespace simmim {

WeightAverage::WeightAverage(const NamedTensors& parameters, double decay) : decay_(decay) {
  for (const auto& [name, parameter] : parameters) {
    names_.push_back(name);
    parameters_.push_back(parameter.detach());
    averages_.push_back(parameter.detach().clone());
  }
}

void WeightAverage::update() {
  const at::NoGradGuard no_grad;
  at::_foreach_mul_(averages_, decay_);
  at::_foreach_add_(averages_, parameters_, 1 - decay_);
}

void WeightAverage::swap() {
  const at::NoGradGuard no_grad;
  for (size_t i = 0; i < parameters_.size(); ++i) {
    const Tensor trained = parameters_[i].clone();
    parameters_[i].copy_(averages_[i]);
    averages_[i].copy_(trained);
  }
}

NamedTensors WeightAverage::state() const {
  NamedTensors state;
  for (size_t i = 0; i < names_.size(); ++i) state.emplace_back("ema." + names_[i], averages_[i]);
  return state;
}

}  // namespace simmim
