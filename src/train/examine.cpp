#include "train/examine.h"

namespace simmim {

Json examine_blocks(StepContext step, const std::function<void(const StepContext& step)>& forward) {
  const at::NoGradGuard no_grad;
  Json blocks = Json::array();
  const std::function<void(const Tensor&)> look = [&](const Tensor& tokens) {
    blocks.push_back({{"block", blocks.size() + 1}, {"largest_activation", tokens.abs().max().item<double>()}});
  };
  step.first = step.batch_images = step.batch_masked = 0;  // all images at once
  step.after_block = &look;
  forward(step);
  return blocks;
}

}  // namespace simmim
