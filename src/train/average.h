// A running average of the weights (timm's ModelEmaV2): after every optimizer step
// average = decay * average + (1 - decay) * weights, from the weights that training starts with.
#pragma once
#include "layers/scope.h"

namespace simmim {

class WeightAverage {
 public:
  WeightAverage(const NamedTensors& parameters, double decay);

  void update();
  // Exchanges weights and average, by value; twice is as before.
  void swap();
  // "ema.NAME", the live tensors: copying into them restores the state.
  NamedTensors state() const;

 private:
  double decay_;
  std::vector<std::string> names_;
  std::vector<Tensor> parameters_, averages_;
};

// While it lives the parameters hold their average; does nothing for null.
class Averaged {
 public:
  explicit Averaged(WeightAverage* average) : average_(average) {
    if (average_ != nullptr) average_->swap();
  }
  ~Averaged() {
    if (average_ != nullptr) average_->swap();
  }
  Averaged(const Averaged&) = delete;
  Averaged& operator=(const Averaged&) = delete;

 private:
  WeightAverage* average_;
};

}  // namespace simmim
