#include "train/average.h"

#include <gtest/gtest.h>

namespace simmim {
namespace {

TEST(WeightAverage, FollowsTheWeightsByItsDecay) {
  const Tensor weight = at::tensor({1.0, -2.0}, at::kDouble);
  WeightAverage average({{"w", weight}}, 0.9);
  const auto value = [&] { return average.state()[0].second.accessor<double, 1>()[0]; };
  EXPECT_EQ(average.state()[0].first, "ema.w");
  EXPECT_EQ(value(), 1);
  weight.fill_(2);
  average.update();
  EXPECT_DOUBLE_EQ(value(), 0.9 * 1 + 0.1 * 2);
  average.update();
  EXPECT_DOUBLE_EQ(value(), 0.9 * 1.1 + 0.1 * 2);
}

TEST(WeightAverage, ChangesPlacesWithTheWeightsAndBack) {
  const Tensor weight = at::tensor({1.0}, at::kDouble);
  WeightAverage average({{"w", weight}}, 0.5);
  weight.fill_(3);
  average.update();
  {
    const Averaged averaged(&average);
    EXPECT_EQ(weight.item<double>(), 2);
  }
  EXPECT_EQ(weight.item<double>(), 3);
  const Averaged none(nullptr);
  EXPECT_EQ(weight.item<double>(), 3);
}

}  // namespace
}  // namespace simmim
