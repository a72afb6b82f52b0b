#include "losses/losses.h"

#include <gtest/gtest.h>

namespace simmim {
namespace {

std::unique_ptr<Loss> loss(const Json& block) {
  const auto& row = find_variant(losses(), block, "loss");
  return row.make(row.resolve(block, "loss"));
}

// One value: prediction p against target 0.
double of_one(const Json& block, double p) {
  return loss(block)
      ->of_each(at::full({1, 1, 1, 1}, p, at::kDouble), at::zeros({1, 1, 1, 1}, at::kDouble))
      .item<double>();
}

TEST(Losses, AreTheirFormulas) {
  EXPECT_DOUBLE_EQ(of_one({{"name", "l1"}}, -3), 3);
  EXPECT_DOUBLE_EQ(of_one({{"name", "l2"}}, -3), 9);
  EXPECT_DOUBLE_EQ(of_one({{"name", "smooth_l1"}}, -3), 2.5);
  EXPECT_DOUBLE_EQ(of_one({{"name", "smooth_l1"}}, 0.5), 0.125);
  EXPECT_DOUBLE_EQ(of_one({{"name", "smooth_l1"}, {"beta", 0.25}}, 0.5), 0.375);
}

TEST(Losses, CountMaskedPixelsOnlyUnlessAskedForAll) {
  for (const auto& row : losses()) {
    EXPECT_TRUE(loss({{"name", row.name}})->masked_only()) << row.name;
    EXPECT_FALSE(loss({{"name", row.name}, {"area", "all"}})->masked_only()) << row.name;
    EXPECT_THROW(loss({{"name", row.name}, {"area", "some"}}), Error) << row.name;
  }
}

// minus the logarithm of the softmax, by hand.
TEST(CrossEntropy, ReadsTheLogitsOfOneChannelAfterAnother) {
  const Tensor logits = at::arange(2 * 6 * 4, at::kDouble).sin().view({2, 2 * 3, 2, 2});
  const Tensor classes = (at::arange(2 * 2 * 4) * 5).remainder(3).view({2, 2, 2, 2});
  const Tensor got = loss({{"name", "cross_entropy"}})->of_each(logits, classes);
  EXPECT_EQ(got.sizes(), (at::IntArrayRef{2, 2, 2, 2}));
  for (int64_t b = 0; b < 2; ++b)
    for (int64_t c = 0; c < 2; ++c) {
      const auto logit = [&](int64_t n) { return logits[b][c * 3 + n][1][0].item<double>(); };
      const double sum = std::exp(logit(0)) + std::exp(logit(1)) + std::exp(logit(2));
      EXPECT_NEAR(got[b][c][1][0].item<double>(), std::log(sum) - logit(classes[b][c][1][0].item<int64_t>()), 1e-12);
    }
}

TEST(Losses, AreForValuesOrForClasses) {
  EXPECT_EQ(losses_for(false), (std::vector<std::string>{"l1", "l2", "smooth_l1"}));
  EXPECT_EQ(losses_for(true), (std::vector<std::string>{"cross_entropy"}));
}

TEST(ReduceLoss, IsTheMeanOverChannelsAndMaskedPixels) {
  const Tensor each = at::arange(2 * 3 * 4, at::kDouble).view({2, 3, 2, 2});
  const Tensor weight = at::zeros({2, 2, 2}, at::kDouble);
  weight[0][0][1].fill_(1);
  weight[1][1][0].fill_(1);
  const double sum = 1 + 5 + 9 + 14 + 18 + 22;
  EXPECT_NEAR(reduce_loss(each, weight, 2).item<double>(), sum / (2 + 1e-5) / 3, 1e-6);
  EXPECT_NEAR(image_losses(each, weight)[1].item<double>(), (14 + 18 + 22) / (1 + 1e-5) / 3, 1e-6);
  EXPECT_NEAR(image_losses(each, {})[0].item<double>(), 5.5, 1e-4);
}

TEST(ReduceLoss, OfNoMaskedPixelIsZeroAndNotANumber) {
  EXPECT_EQ(reduce_loss(at::ones({1, 3, 2, 2}), at::zeros({1, 2, 2}), 0).item<double>(), 0);
}

}  // namespace
}  // namespace simmim
