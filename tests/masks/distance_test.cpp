// AvgDist against exact values, a brute-force transform, and the simulated values of the fact sheet (192 px).
#include "masks/distance.h"

#include <gtest/gtest.h>

#include <algorithm>
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

struct Sample {
  double mean = 0, error = 0;  // error: the standard error of the mean
};

Sample sample_avg_dist(const MaskGenerator& generator, int64_t patch, int draws) {
  double sum = 0, squares = 0;
  for (int i = 0; i < draws; ++i) {
    Rng rng(11, "mask", static_cast<uint64_t>(i));
    const double one = avg_dist(generator.generate(rng), generator.grid(), patch);
    sum += one;
    squares += one * one;
  }
  const double mean = sum / draws;
  return {mean, std::sqrt((squares / draws - mean * mean) / (draws - 1))};
}

// The expected AvgDist of `hidden` of side x side cells, every such set equally likely, for each of `hidden`. Of a
// masked pixel, the j nearest other cells are all masked with probability (k-1)/(n-1) * (k-2)/(n-2) * ..., and the one
// after them is then where it sees. The four quarters of the image are alike.
std::vector<double> expected_avg_dist(int64_t side, int64_t patch, const std::vector<int64_t>& hidden) {
  const int64_t half = side * patch / 2, cells = side * side;
  const auto gap = [&](int64_t cell, int64_t at) {
    return std::max<int64_t>({0, cell * patch - at, at - (cell + 1) * patch + 1});
  };
  std::vector<double> sums(hidden.size(), 0);
  std::vector<int64_t> squares(static_cast<size_t>(cells));
  for (int64_t y = 0; y < half; ++y)
    for (int64_t x = 0; x < half; ++x) {
      for (int64_t cell = 0; cell < cells; ++cell) {
        const int64_t dy = gap(cell / side, y), dx = gap(cell % side, x);
        squares[static_cast<size_t>(cell)] = dy * dy + dx * dx;
      }
      // Beyond 500 cells the probability is below 1e-20; the nearest of all is the pixel's own, at 0.
      const auto nearest = squares.begin() + std::min<int64_t>(cells, 500);
      std::partial_sort(squares.begin(), nearest, squares.end());
      for (size_t i = 0; i < hidden.size(); ++i) {
        double still_masked = 1;
        int64_t j = 1;
        for (auto it = squares.begin() + 1; it != nearest && still_masked > 1e-12; ++it, ++j) {
          const double next = still_masked * static_cast<double>(hidden[i] - j) / static_cast<double>(cells - j);
          sums[i] += (still_masked - next) * std::sqrt(static_cast<double>(*it));
          still_masked = next;
        }
      }
    }
  for (double& sum : sums) sum /= static_cast<double>(half * half);
  return sums;
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

// Each value three ways: the simulation's (simmim.md 1.3: 40 to 300 masks, 3 % of noise), the exact expectation, and
// the mean over masks as the program draws them.
TEST(AvgDist, OfRandomMasksIsThatOfTheSimulationAndItsExactExpectation) {
  struct Row {
    int64_t patch;
    std::vector<double> at_ratio;  // 0.1, 0.2 ...
    int draws;
  };
  const Row rows[] = {{4, {1.32, 1.40, 1.49, 1.63, 1.81, 2.08, 2.50, 3.26, 5.05}, 10},
                      {8, {2.07, 2.24, 2.46, 2.77, 3.13, 3.70, 4.54, 6.06, 9.92}, 20},
                      {16, {3.84, 4.16, 4.64, 5.20, 6.14, 7.37, 9.30, 12.2, 20.4}, 40},
                      {32, {7.79, 8.75, 9.57, 11.2, 12.5, 15.3, 20.0, 25.8, 45.2}, 40},
                      {64, {16.9, 19.4, 21.8, 25.2, 29.5, 36.4, 47.7, 68.9}, 40}};
  for (const auto& [patch, simulated, draws] : rows) {
    const int64_t side = 192 / patch;
    std::vector<int64_t> hidden;
    for (size_t i = 0; i < simulated.size(); ++i)
      hidden.push_back(masked_cells(side * side, static_cast<double>(i + 1) / 10));
    const std::vector<double> exact = expected_avg_dist(side, patch, hidden);
    for (size_t i = 0; i < simulated.size(); ++i) {
      const double ratio = static_cast<double>(i + 1) / 10;
      EXPECT_NEAR(exact[i] / simulated[i], 1, 0.03) << patch << " " << ratio;
      const Sample sample = sample_avg_dist(RandomMask({.patch = patch, .ratio = ratio}, {side, side}), patch, draws);
      EXPECT_NEAR(sample.mean, exact[i], 4 * sample.error) << patch << " " << ratio;
      EXPECT_LT(sample.error, 0.05 * sample.mean) << patch << " " << ratio;
    }
  }
}

// Nine cells have few masks: all of them, instead of a sample.
TEST(AvgDist, OfAllMasksOfPatch64IsThatOfTheSimulation) {
  const double simulated[] = {16.9, 19.4, 21.8, 25.2, 29.5, 36.4, 47.7, 68.9};
  const std::vector<double> expected = expected_avg_dist(3, 64, {1, 2, 3, 4, 5, 6, 7, 8});
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
    const auto at = static_cast<size_t>(count - 1);
    EXPECT_NEAR(sum / masks / simulated[at], 1, 0.03) << count;
    EXPECT_NEAR(sum / masks, expected[at], 1e-9) << count;
  }
}

TEST(AvgDist, OfSquaresIsThatOfTheSimulation) {
  const double expected[] = {7.05, 14.2, 22.8, 33.3, 53.8};
  for (int side = 1; side <= 5; ++side) {
    const SquareMask generator({.ratio = side * side / 36.0}, {6, 6});
    EXPECT_NEAR(sample_avg_dist(generator, 32, 300).mean / expected[side - 1], 1, 0.03) << side;
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
      EXPECT_NEAR(sample_avg_dist(generator, row.patch, 200).mean / row.at_ratio[i], 1, 0.08) << row.patch << " " << i;
    }
}

}  // namespace
}  // namespace simmim
