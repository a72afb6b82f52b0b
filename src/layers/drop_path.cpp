#include "layers/drop_path.h"

#include "core/rng.h"
#include "layers/upload.h"

namespace simmim {

Tensor drop_path(double rate, int64_t images, int64_t branch, const StepContext& step,
                 const at::TensorOptions& options) {
  if (rate == 0 || !step.training) return {};
  Tensor factors = at::empty({images}, at::kFloat);
  for (int64_t i = 0; i < images; ++i) {
    Rng rng(step.seed, "drop_path", static_cast<uint64_t>(step.step),
            static_cast<uint64_t>(branch << 32 | (step.first + i)));
    factors.data_ptr<float>()[i] = static_cast<float>(rng.uniform() < rate ? 0 : 1 / (1 - rate));
  }
  return upload(factors, options.device()).to(options);
}

std::vector<double> drop_path_rates(double rate, int64_t blocks) {
  std::vector<double> rates;
  for (int64_t i = 0; i < blocks; ++i)
    rates.push_back(blocks == 1 ? 0 : rate * static_cast<double>(i) / static_cast<double>(blocks - 1));
  return rates;
}

}  // namespace simmim
