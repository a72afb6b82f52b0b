#include "train/examine.h"

namespace simmim {

Json examine_images(const Dataset& dataset, const Batch& batch, const Tensor& losses) {
  Json facts = {{"images", Json::array()}, {"image_loss", Json::array()}};
  for (int64_t i = 0; i < batch.size(); ++i) {
    facts["images"].push_back(dataset.item_name(Split::train, batch.indices[static_cast<size_t>(i)]));
    facts["image_loss"].push_back(losses[i].item<double>());
  }
  return facts;
}

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
