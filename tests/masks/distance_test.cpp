// AvgDist against exact values, a brute-force transform, and the simulated values of the fact sheet (192 px).
#include "masks/distance.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>

#include "masks/blockwise.h"
#include "masks/random.h"
#include "masks/square.h"

namespace simmim {
namespace {

double brute_force(const Mask& mask, Grid grid, int64_t patch) {
  const auto masked = [&](int64_t y, int64_t x) {
    return mask[static_cast<size_t>(y / patch * grid.w + x / patch)] != 0;
  };
  double sum = 0;
  int count = 0;
  for (int64_t y = 0; y < grid.h * patch; ++y)
    for (int64_t x = 0; x < grid.w * patch; ++x) {
      if (!masked(y, x)) continue;
      double nearest = INFINITY;
      for (int64_t v = 0; v < grid.h * patch; ++v)
        for (int64_t u = 0; u < grid.w * patch; ++u)
          if (!masked(v, u))
            nearest = std::min(nearest, std::hypot(static_cast<double>(v - y), static_cast<double>(u - x)));
      sum += nearest;
      ++count;
    }
  return sum / count;
}

double mean_avg_dist(const MaskGenerator& generator, int64_t patch, int draws) {
  double sum = 0;
  for (int i = 0; i < draws; ++i) {
    Rng rng(11, "mask", static_cast<uint64_t>(i));
    sum += avg_dist(generator.generate(rng), generator.grid(), patch);
  }
  return sum / draws;
}

TEST(AvgDist, OfOneHiddenPixelIsOne) { EXPECT_EQ(avg_dist({0, 0, 0, 0, 1, 0, 0, 0, 0}, {3, 3}, 1), 1); }

TEST(AvgDist, CountsTheDiagonalAsTheSquareRootOfTwo) {
  // Only the corner is visible: three pixels at 1, 1 and sqrt(2).
  EXPECT_DOUBLE_EQ(avg_dist({0, 1, 1, 1}, {2, 2}, 1), (2 + std::sqrt(2.0)) / 3);
}

TEST(AvgDist, IsNotANumberWhenAllOrNothingIsHidden) {
  EXPECT_TRUE(std::isnan(avg_dist({1, 1, 1, 1}, {2, 2}, 4)));
  EXPECT_TRUE(std::isnan(avg_dist({0, 0, 0, 0}, {2, 2}, 4)));
}

TEST(AvgDist, EqualsTheBruteForceTransform) {
  for (uint64_t i = 0; i < 40; ++i) {
    Rng rng(2, "mask", i);
    const Grid grid{3 + static_cast<int64_t>(i % 3), 4};
    const Mask mask = RandomMask({.ratio = 0.05 + 0.02 * static_cast<double>(i)}, grid).generate(rng);
    EXPECT_NEAR(avg_dist(mask, grid, 3), brute_force(mask, grid, 3), 1e-12) << i;
  }
}

// The simulation drew 40 to 300 masks a value; at patch 16 and ratio 0.8 its 12.2 lies 2.8 % below the mean of 1,000.
TEST(AvgDist, OfRandomMasksIsThatOfTheSimulation) {
  struct Row {
    int64_t patch;
    std::vector<double> at_ratio;  // 0.1, 0.2 ... 0.9
    int draws;
    double tolerance;
  };
  const Row rows[] = {{4, {1.32, 1.40, 1.49, 1.63, 1.81, 2.08, 2.50, 3.26, 5.05}, 20, 0.03},
                      {8, {2.07, 2.24, 2.46, 2.77, 3.13, 3.70, 4.54, 6.06, 9.92}, 40, 0.03},
                      {16, {3.84, 4.16, 4.64, 5.20, 6.14, 7.37, 9.30, 12.2, 20.4}, 200, 0.04},
                      {32, {7.79, 8.75, 9.57, 11.2, 12.5, 15.3, 20.0, 25.8, 45.2}, 300, 0.03}};
  for (const Row& row : rows)
    for (size_t i = 0; i < row.at_ratio.size(); ++i) {
      const RandomMask generator({.patch = row.patch, .ratio = static_cast<double>(i + 1) / 10},
                                 {192 / row.patch, 192 / row.patch});
      EXPECT_NEAR(mean_avg_dist(generator, row.patch, row.draws) / row.at_ratio[i], 1, row.tolerance)
          << row.patch << " " << i + 1;
    }
}

// Nine cells have few masks: all of them, instead of a sample.
TEST(AvgDist, OfAllMasksOfPatch64IsThatOfTheSimulation) {
  const double expected[] = {16.9, 19.4, 21.8, 25.2, 29.5, 36.4, 47.7, 68.9};
  for (int count = 1; count <= 8; ++count) {
    double sum = 0;
    int masks = 0;
    for (unsigned bits = 0; bits < 512; ++bits) {
      if (std::popcount(bits) != count) continue;
      Mask mask(9);
      for (size_t cell = 0; cell < 9; ++cell) mask[cell] = bits >> cell & 1;
      sum += avg_dist(mask, {3, 3}, 64);
      ++masks;
    }
    EXPECT_NEAR(sum / masks / expected[count - 1], 1, 0.04) << count;
  }
}

TEST(AvgDist, OfSquaresIsThatOfTheSimulation) {
  const double expected[] = {7.05, 14.2, 22.8, 33.3, 53.8};
  for (int side = 1; side <= 5; ++side) {
    const SquareMask generator({.ratio = side * side / 36.0}, {6, 6});
    EXPECT_NEAR(mean_avg_dist(generator, 32, 300) / expected[side - 1], 1, 0.03) << side;
  }
}

TEST(AvgDist, OfBlockwiseMasksIsThatOfTheSimulation) {
  struct Row {
    int64_t patch;
    double at_ratio[3];  // 0.4, 0.6, 0.8
  };
  for (const Row& row : {Row{16, {19.5, 25.9, 38.0}}, Row{32, {22.0, 31.0, 45.5}}})
    for (int i = 0; i < 3; ++i) {
      const BlockwiseMask generator({.ratio = 0.4 + 0.2 * i, .exact = false}, {192 / row.patch, 192 / row.patch});
      EXPECT_NEAR(mean_avg_dist(generator, row.patch, 200) / row.at_ratio[i], 1, 0.08) << row.patch << " " << i;
    }
}

}  // namespace
}  // namespace simmim
