// Helpers of the tests that compare a model with numbers of other code.
#pragma once
#include <gtest/gtest.h>

#include <cmath>

#include "core/files.h"
#include "core/json.h"
#include "layers/scope.h"

namespace simmim::golden {

inline fs::path folder() { return fs::path(SIMMIM_SOURCE_DIR) / "tests/golden"; }

// sqrt of the sum of squares of all gradients.
inline double gradient_norm(const NamedTensors& parameters) {
  double sum = 0;
  for (const auto& [name, parameter] : parameters)
    if (parameter.grad().defined()) sum += parameter.grad().to(at::kDouble).square().sum().item<double>();
  return std::sqrt(sum);
}

inline std::vector<double> values(const Tensor& tensor) {
  const Tensor flat = tensor.detach().to(at::kDouble).contiguous().flatten();
  return {flat.data_ptr<double>(), flat.data_ptr<double>() + flat.numel()};
}

inline void expect_relative(double got, double wanted, double tolerance, const std::string& what) {
  EXPECT_LE(std::abs(got - wanted), tolerance * std::abs(wanted)) << what << ": got " << got << ", wanted " << wanted;
}

}  // namespace simmim::golden
