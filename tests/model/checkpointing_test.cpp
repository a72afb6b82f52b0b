// encoder.checkpointing reaches every block of the model.
#include <gtest/gtest.h>

#include <set>

#include "layers/checkpoint.h"
#include "model/simmim.h"
#include "small.h"

namespace simmim {
namespace {

Json config(const std::string& encoder, bool checkpointing) {
  Json block = small_encoder(encoder);
  block.update({{"checkpointing", checkpointing}, {"drop_path", 0.4}, {"absolute_position", true}});
  return {{"data", {{"image_size", 16}}},           {"encoder", block},
          {"mask", {{"patch", 4}, {"ratio", 0.5}}}, {"head", small_head("inverse_swin")},
          {"target", {{"name", "pixels"}}},         {"loss", {{"name", "l1"}}}};
}

struct Step {
  Tensor loss;
  std::vector<Tensor> gradients;
  int64_t checkpoints = 0;  // nodes of the graph that compute a part again
};

Step train_step(const Json& config) {
  const SimMim model(config, {});
  const Tensor images = (at::arange(2 * 3 * 256, at::kFloat) * 0.7).sin().view({2, 3, 16, 16});
  const Tensor mask = (at::arange(32, at::kInt) % 3 == 0).view({2, 4, 4}).to(at::kByte);
  double phase = 0;  // initial weights are too tame: a new Swin V2 passes its input on
  for (const auto& [name, parameter] : model.parameters()) {
    const at::NoGradGuard no_grad;
    Tensor(parameter).add_((at::arange(parameter.numel(), at::kFloat) + ++phase).sin().view(parameter.sizes()) * 0.1);
  }
  const StepContext at_step{.training = true, .seed = 1, .step = 5};
  model.forward(images, mask, at_step).loss.backward();  // gradients add up
  Step step{.loss = model.forward(images, mask, at_step).loss};
  std::set<torch::autograd::Node*> seen;
  std::vector<torch::autograd::Node*> open = {step.loss.grad_fn().get()};
  while (!open.empty()) {
    torch::autograd::Node* node = open.back();
    open.pop_back();
    if (node == nullptr || !seen.insert(node).second) continue;
    step.checkpoints += node->name().find("Checkpoint") != std::string::npos;
    for (const auto& edge : node->next_edges()) open.push_back(edge.function.get());
  }
  step.loss.backward();
  for (const auto& [name, parameter] : model.parameters()) step.gradients.push_back(parameter.grad());
  return step;
}

TEST(Checkpointing, TakesTheBlocksOfEncoderAndHeadAndChangesNoBit) {
  for (const auto& [encoder, blocks] : {std::pair{"vit", 2}, {"swin", 4}, {"swinv2", 4}}) {
    const Step plain = train_step(config(encoder, false)), checkpointed = train_step(config(encoder, true));
    EXPECT_EQ(plain.checkpoints, 0);
    EXPECT_EQ(checkpointed.checkpoints, blocks + 3) << encoder;  // the head has three
    EXPECT_TRUE(checkpointed.loss.equal(plain.loss)) << encoder;
    for (size_t i = 0; i < plain.gradients.size(); ++i)
      EXPECT_TRUE(checkpointed.gradients[i].equal(plain.gradients[i])) << encoder << " " << i;
  }
}

TEST(Checkpointing, IsPartOfTheMemoryEstimate) {
  const ModelContext meta{.device = at::kMeta};
  for (const char* encoder : {"vit", "swin", "swinv2"})
    EXPECT_LT(SimMim(config(encoder, true), meta).kept_bytes({}),
              0.7 * SimMim(config(encoder, false), meta).kept_bytes({}))
        << encoder;
}

TEST(MostKept, IsTheInputsUpToABlockAndItsOwn) {
  const std::vector<KeptBytes> blocks = {{100, 10}, {50, 5}, {20, 2}};
  EXPECT_EQ(most_kept(blocks, false), 170);
  EXPECT_EQ(most_kept(blocks, true), 100);  // in the first, when the others are done
  EXPECT_EQ(most_kept({{20, 2}, {50, 5}, {100, 10}}, true), 107);
}

}  // namespace
}  // namespace simmim
