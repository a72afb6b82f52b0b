#include "train/mixup.h"

#include <gtest/gtest.h>

#include "core/files.h"
#include "model/classifier.h"

namespace simmim {
namespace {

const Json& golden_mixes() {  // made by scripts/golden/augment.py
  static const Json values = read_json_file(fs::path(SIMMIM_SOURCE_DIR) / "tests" / "train" / "mixup.json");
  return values["mixes"];
}

Tensor batch_images() { return at::arange(4 * 3 * 6 * 6, at::kDouble).mul(0.37).sin().reshape({4, 3, 6, 6}); }

Tensor from_list(const std::vector<double>& values, at::IntArrayRef shape) {
  return at::tensor(values, at::kDouble).reshape(shape);
}

double largest_difference(const Tensor& a, const Tensor& b) { return (a - b).abs().max().item<double>(); }

TEST(Mixup, GivesTheImagesAndTargetsThatTimmGivesForTheSameDraws) {
  for (const Json& entry : golden_mixes()) {
    const double lambda = entry["lambda"];
    const Mix mix =
        entry["cut"] ? cut_around(lambda, entry["centre"][0], entry["centre"][1], 6) : Mix{.lambda = lambda};
    EXPECT_DOUBLE_EQ(mix.lambda, entry["used"].get<double>());
    const Tensor images = batch_images(), labels = at::tensor(entry["labels"].get<std::vector<int64_t>>());
    mix_images(mix, images, batch_images().flip(0));
    EXPECT_LT(largest_difference(images, from_list(entry["images"], {4, 3, 6, 6})), 1e-15) << entry["lambda"];
    const Tensor targets = mix_targets(mix, labels, labels.flip(0), 5, 0.1, at::kDouble);
    std::vector<double> expected;
    for (const Json& row : entry["targets"]) expected.insert(expected.end(), row.begin(), row.end());
    EXPECT_LT(largest_difference(targets, from_list(expected, {4, 5})), 1e-6);
    EXPECT_LT(largest_difference(targets.sum(1), at::ones({4}, at::kDouble)), 1e-12);
  }
}

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
