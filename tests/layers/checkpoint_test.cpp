#include "layers/checkpoint.h"

#include <gtest/gtest.h>

#include <optional>

#include "layers/autocast.h"
#include "layers/block.h"

namespace simmim {
namespace {

Tensor float_waves(at::IntArrayRef shape, double step) {
  int64_t count = 1;
  for (const int64_t size : shape) count *= size;
  return (at::arange(count, at::kDouble) * step).sin().view(shape).to(at::kFloat);
}

// The output and the gradients of x, the bias and the parameters of a block, plain or fused, with drop path.
std::vector<Tensor> run_block(bool checkpointed, bool fused, bool autocast) {
  NamedTensors parameters;
  const Block block(Scope(parameters, {.autocast = autocast}),
                    {.dim = 32, .heads = 2, .drop_path = 0.5, .linear = truncated_normal(0.2, 1)});
  const StepContext step{.training = true, .seed = 1, .step = 2};
  const Tensor x = float_waves({9, 16, 32}, 0.7).requires_grad_(),
               bias = float_waves({2, 16, 16}, 0.11).requires_grad_();
  const NetworkPart part = [&](const std::vector<Tensor>& in) {
    return fused ? block.forward(in[0], in[1], nullptr, 3, step) : block.plain(in[0], in[1], nullptr, 3, step);
  };
  Tensor y;
  {
    std::optional<Autocast> guard;
    if (autocast) guard.emplace(at::kCPU);
    const Tensor inner = x * 2, shared = bias * 2;  // no leaves
    y = checkpointed ? checkpoint(part, {inner, shared}) : part({inner, shared});
  }
  (y * float_waves(y.sizes(), 0.37)).sum().backward();
  std::vector<Tensor> out = {y, x.grad(), bias.grad()};
  for (const auto& [name, parameter] : parameters) out.push_back(parameter.grad());
  return out;
}

TEST(Checkpoint, ChangesNoBit) {
  for (const bool fused : {false, true})
    for (const bool autocast : {false, true}) {
      const std::vector<Tensor> wanted = run_block(false, fused, autocast), got = run_block(true, fused, autocast);
      ASSERT_EQ(got.size(), wanted.size());
      for (size_t i = 0; i < wanted.size(); ++i)
        EXPECT_TRUE(got[i].equal(wanted[i])) << "tensor " << i << (fused ? " fused" : "") << (autocast ? " bf16" : "");
    }
}

TEST(Checkpoint, KeepsNoActivationAndRunsThePartOnceMoreInTheBackwardPass) {
  int runs = 0, freed = 0;
  const NetworkPart part = [&](const std::vector<Tensor>& in) {
    ++runs;
    const auto free = [&](void* values) { delete[] static_cast<float*>(values), ++freed; };
    return in[0] * at::from_blob(new float[3]{1, 2, 3}, {3}, free, at::kFloat);  // the product keeps its factors
  };
  const Tensor x = at::ones({3}).requires_grad_();
  {
    const Tensor kept = part({x});
    EXPECT_EQ(freed, 0);
  }
  EXPECT_EQ(freed, 1);
  const Tensor y = checkpoint(part, {x});
  EXPECT_EQ(freed, 2);
  EXPECT_EQ(runs, 2);
  y.sum().backward();
  EXPECT_EQ(runs, 3);
  EXPECT_EQ(x.grad()[2].item<float>(), 3);
}

TEST(Checkpoint, IsAPlainCallWithoutGradients) {
  const at::NoGradGuard no_grad;
  int runs = 0;
  const Tensor y = checkpoint([&](const std::vector<Tensor>& in) { return ++runs, in[0] + 1; }, {at::ones({2})});
  EXPECT_EQ(runs, 1);
  EXPECT_FALSE(y.requires_grad());
}

}  // namespace
}  // namespace simmim
