#include "train/mixup.h"

#include <gtest/gtest.h>

#include "model/classifier.h"

namespace simmim {
namespace {

TEST(Mixup, IsTheSameForTheSameStepAndAnotherForEveryOther) {
  FinetuneOptions options;
  options.mixup = 0.8, options.cutmix = 1;
  const auto lambda = [&](uint64_t seed, int64_t step) { return draw_mix(options, 192, seed, step).lambda; };
  EXPECT_EQ(lambda(1, 5), lambda(1, 5));
  EXPECT_NE(lambda(1, 5), lambda(1, 6));
  EXPECT_NE(lambda(1, 5), lambda(2, 5));
}

TEST(Mixup, SwitchesAndAppliesWithItsProbabilities) {
  FinetuneOptions options;
  options.mixup = 0.8, options.cutmix = 1, options.mix_prob = 0.75, options.mix_switch = 0.25;
  int mixed = 0, cut = 0;
  constexpr int kSteps = 4000;
  for (int64_t step = 0; step < kSteps; ++step) {
    const Mix mix = draw_mix(options, 1000, 0, step);
    mixed += mix.lambda != 1;
    cut += mix.cut;
  }
  EXPECT_NEAR(static_cast<double>(mixed) / kSteps, 0.75, 0.03);
  EXPECT_NEAR(static_cast<double>(cut) / kSteps, 0.75 * 0.25, 0.03);
  options.cutmix = 0;
  for (int64_t step = 0; step < 50; ++step) EXPECT_FALSE(draw_mix(options, 32, 0, step).cut);
  options.mixup = 0, options.cutmix = 1, options.mix_prob = 1;
  for (int64_t step = 0; step < 50; ++step) EXPECT_TRUE(draw_mix(options, 32, 0, step).cut);
}

TEST(Mixup, WithoutMixingIsLabelSmoothing) {
  const Tensor logits = at::arange(12, at::kDouble).mul(0.7).cos().reshape({4, 3}),
               labels = at::tensor({2, 0, 1, 1}, at::kLong);
  const Tensor targets = mix_targets({}, labels, labels.flip(0), 3, 0.1, at::kDouble);
  EXPECT_NEAR(soft_cross_entropy(logits, targets).item<double>(), cross_entropy(logits, labels, 0.1).item<double>(),
              1e-15);
  // Official: 1 - smoothing + smoothing / K on the label, smoothing / K elsewhere.
  EXPECT_NEAR(targets[0][2].item<double>(), 0.9 + 0.1 / 3, 1e-15);
  EXPECT_NEAR(targets[0][0].item<double>(), 0.1 / 3, 1e-15);
}

}  // namespace
}  // namespace simmim
