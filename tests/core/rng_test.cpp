#include "core/rng.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

namespace simmim {
namespace {

using Words = std::array<uint32_t, 4>;

// The known answers of the authors' library, Random123 (kat_vectors, philox4x32 10).
TEST(Philox, GivesTheKnownAnswers) {
  EXPECT_EQ(philox({0, 0, 0, 0}, {0, 0}), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  const uint32_t ones = 0xffffffff;
  EXPECT_EQ(philox({ones, ones, ones, ones}, {ones, ones}), (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Rng, GivesTheSameStreamForTheSameNameAndAnotherForEveryOther) {
  const auto first = [](uint64_t seed, const char* purpose, uint64_t a, uint64_t b) {
    return Rng(seed, purpose, a, b).next_u64();
  };
  EXPECT_EQ(first(1, "mask", 2, 3), first(1, "mask", 2, 3));
  std::set<uint64_t> seen;
  for (const uint64_t seed : {0, 1, 2})
    for (const char* purpose : {"mask", "crop", "init/a"})
      for (const uint64_t a : {uint64_t{0}, uint64_t{1}, uint64_t{1} << 32, uint64_t{1} << 47})
        for (const uint64_t b : {uint64_t{0}, uint64_t{1}, uint64_t{1} << 32, uint64_t{1} << 47})
          seen.insert(first(seed, purpose, a, b));
  EXPECT_EQ(seen.size(), 3u * 3 * 4 * 4);
}

// A change of these numbers changes every run: initial weights, order, crops and masks.
TEST(Rng, KeepsItsNumbersAcrossVersions) {
  Rng rng(0, "order", 1, 2);
  EXPECT_EQ(rng.next_u32(), 945335326u);
  EXPECT_EQ(rng.next_u64(), 9548082420764712755u);
  EXPECT_EQ(rng.permutation(8), (std::vector<int64_t>{4, 5, 7, 2, 6, 3, 0, 1}));
}

TEST(Rng, UniformNumbersLieInTheirRangeWithTheRightMean) {
  Rng rng(3, "test");
  double sum = 0, squares = 0, low = 1, high = 0;
  constexpr int kDraws = 100000;
  for (int i = 0; i < kDraws; ++i) {
    const double x = rng.uniform();
    sum += x, squares += x * x, low = std::min(low, x), high = std::max(high, x);
  }
  EXPECT_GE(low, 0);
  EXPECT_LT(high, 1);
  EXPECT_NEAR(sum / kDraws, 0.5, 5 * std::sqrt(1.0 / 12 / kDraws));
  EXPECT_NEAR(squares / kDraws, 1.0 / 3, 5 * std::sqrt(4.0 / 45 / kDraws));
  EXPECT_EQ(rng.uniform(4, 4), 4);
}

TEST(Rng, BelowIsUniformOverItsIntegers) {
  Rng rng(3, "test");
  std::map<uint64_t, int> count;
  for (int i = 0; i < 70000; ++i) ++count[rng.below(7)];
  ASSERT_EQ(count.size(), 7u);
  for (const auto& [value, times] : count) EXPECT_NEAR(times, 10000, 5 * std::sqrt(70000.0 * 6 / 49)) << value;
  EXPECT_EQ(rng.below(1), 0u);
  uint64_t largest = 0;  // a range that does not divide 2^64, where a plain remainder would favour the low third
  for (int i = 0; i < 1000; ++i) largest = std::max(largest, rng.below(uint64_t{3} << 62));
  EXPECT_GT(largest, uint64_t{1} << 63);
}

TEST(Rng, NormalNumbersHaveMeanZeroAndVarianceOne) {
  Rng rng(3, "test");
  double sum = 0, squares = 0, fourth = 0;
  constexpr int kDraws = 100000;
  for (int i = 0; i < kDraws; ++i) {
    const double x = rng.normal();
    sum += x, squares += x * x, fourth += x * x * x * x;
  }
  EXPECT_NEAR(sum / kDraws, 0, 5 / std::sqrt(kDraws));
  EXPECT_NEAR(squares / kDraws, 1, 5 * std::sqrt(2.0 / kDraws));
  EXPECT_NEAR(fourth / kDraws, 3, 5 * std::sqrt(96.0 / kDraws));
}

TEST(Rng, TruncatedNormalNumbersStayWithinTheBound) {
  Rng rng(3, "test");
  double largest = 0;
  for (int i = 0; i < 10000; ++i) largest = std::max(largest, std::abs(rng.truncated_normal(1, 1.5)));
  EXPECT_LE(largest, 1.5);
  EXPECT_GT(largest, 1.49);
}

TEST(Rng, ShufflesIntoEveryOrderEquallyOften) {
  Rng rng(3, "test");
  std::map<std::vector<int64_t>, int> count;
  for (int i = 0; i < 24000; ++i) ++count[rng.permutation(4)];
  ASSERT_EQ(count.size(), 24u);
  for (const auto& [order, times] : count) EXPECT_NEAR(times, 1000, 5 * std::sqrt(1000.0));
  EXPECT_TRUE(rng.permutation(0).empty());
}

TEST(Rng, BetaDrawsHaveTheMomentsOfTheirDistribution) {
  for (const auto& [a, b] : {std::pair{1.0, 1.0}, {0.8, 0.8}, {0.2, 0.2}, {0.01, 0.01}, {2.0, 5.0}}) {
    Rng rng(5, "beta");
    constexpr int kDraws = 100000;
    double sum = 0, squares = 0;
    for (int i = 0; i < kDraws; ++i) {
      const double x = rng.beta(a, b);
      ASSERT_TRUE(x >= 0 && x <= 1) << x;
      sum += x, squares += x * x;
    }
    const double mean = a / (a + b), variance = a * b / ((a + b) * (a + b) * (a + b + 1));
    EXPECT_NEAR(sum / kDraws, mean, 5 * std::sqrt(variance / kDraws)) << a;
    EXPECT_NEAR(squares / kDraws - mean * mean, variance, 0.01 * variance + 0.001) << a;
  }
}

}  // namespace
}  // namespace simmim
