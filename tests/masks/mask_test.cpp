#include "masks/mask.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "core/error.h"
#include "masks/blockwise.h"
#include "masks/random.h"
#include "masks/square.h"

namespace simmim {
namespace {

int64_t hidden(const Mask& mask) { return std::count(mask.begin(), mask.end(), 1); }

std::string message(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::usage);
    return error.what();
  }
  return "no error";
}

TEST(MaskGrid, IsTheImageDividedByTheMaskPatch) {
  EXPECT_EQ(mask_grid(192, 32, 4), (Grid{6, 6}));
  EXPECT_EQ(mask_grid(32, 8, 4), (Grid{4, 4}));
  EXPECT_EQ(mask_grid(32, 32, 32), (Grid{1, 1}));
}

TEST(MaskGrid, NamesTheNearestPatchesThatFit) {
  EXPECT_EQ(message([] { mask_grid(224, 24, 4); }), "mask.patch: 24 does not divide image 224; use 16, 28 or 32");
  EXPECT_EQ(message([] { mask_grid(192, 24, 16); }),
            "mask.patch: 24 is no multiple of the encoder's patch 16; use 16, 32 or 48");
  EXPECT_EQ(message([] { mask_grid(32, 2, 4); }),
            "mask.patch: 2 is no multiple of the encoder's patch 4; use 4, 8 or 16");
  EXPECT_EQ(message([] { mask_grid(32, 0, 16); }), "mask.patch: 0 does not divide image 32; use 16 or 32");
  EXPECT_NE(message([] { mask_grid(200, 32, 16); }).find("encoder's patch 16 does not divide image 200"),
            std::string::npos);
}

TEST(Masks, EveryVariantStatesThePatchAndTheRatioAndRefusesUnknownOptions) {
  for (const auto& row : masks()) {
    const Json resolved = row.resolve(Json::object(), "mask");
    EXPECT_EQ(resolved["name"], row.name);
    EXPECT_EQ(resolved["patch"], 8);
    EXPECT_EQ(resolved["ratio"], 0.6);
    EXPECT_EQ(row.resolve(resolved, "mask"), resolved);
    EXPECT_NE(message([&] {
                row.resolve({{"ratoi", 0.5}}, "mask");
              }).find("mask.ratoi: unknown key; did you mean 'ratio'?"),
              std::string::npos);
    EXPECT_EQ(message([&] {
                row.resolve({{"ratio", 1.5}}, "mask");
              }),
              "mask.ratio: got 1.5; allowed: number from 0 to 1");
    EXPECT_EQ(message([&] { row.resolve({{"patch", 0}}, "mask"); }), "mask.patch: got 0; allowed: integer, at least 1");
  }
}

TEST(Masks, TheSameStreamGivesTheSameMaskAndAnotherStreamAnother) {
  for (const auto& row : masks()) {
    const auto generator = row.make(row.resolve({{"ratio", 0.3}}, "mask"), Grid{12, 12});
    std::map<Mask, int> seen;
    for (uint64_t index = 0; index < 8; ++index) {
      Rng once(7, "mask", 1, index), again(7, "mask", 1, index);
      const Mask mask = generator->generate(once);
      EXPECT_EQ(mask, generator->generate(again)) << row.name;
      EXPECT_EQ(mask.size(), 144u);
      ++seen[mask];
    }
    EXPECT_GT(seen.size(), 4u) << row.name;
  }
}

TEST(Masks, RatioOneHidesEverythingAndRatioZeroNothing) {
  for (const auto& row : masks())
    for (const double ratio : {0.0, 1.0}) {
      Rng rng(3, "mask");
      const auto generator = row.make({{"name", row.name}, {"ratio", ratio}}, Grid{5, 5});
      EXPECT_EQ(masked_share(generator->generate(rng)), ratio) << row.name;
    }
}

// The counts of facts measured with the official code: ceil in IEEE double.
TEST(RandomMask, HidesExactlyTheCeilOfTheRatio) {
  const std::map<int64_t, std::vector<int64_t>> expected = {{48, {231, 461, 692, 922, 1152, 1383, 1613, 1844, 2074}},
                                                            {24, {58, 116, 173, 231, 288, 346, 404, 461, 519}},
                                                            {12, {15, 29, 44, 58, 72, 87, 101, 116, 130}},
                                                            {6, {4, 8, 11, 15, 18, 22, 26, 29, 33}},
                                                            {3, {1, 2, 3, 4, 5, 6, 7, 8, 9}}};
  for (const auto& [side, counts] : expected)
    for (size_t i = 0; i < counts.size(); ++i) {
      Rng rng(1, "mask", i);
      const double ratio = static_cast<double>(i + 1) / 10;
      EXPECT_EQ(hidden(RandomMask({.ratio = ratio}, {side, side}).generate(rng)), counts[i]) << side << " " << ratio;
    }
  EXPECT_EQ(masked_cells(49, 0.6), 30);
  EXPECT_EQ(masked_cells(100, 0.07), 8);  // 7.000000000000001 in double, and so in the official code
}

TEST(RandomMask, HidesEveryCellEquallyOften) {
  const RandomMask generator({.ratio = 0.6}, {4, 4});  // 10 of 16
  std::vector<double> often(16, 0);
  constexpr int kDraws = 20000;
  Rng rng(5, "mask");
  for (int i = 0; i < kDraws; ++i) {
    const Mask mask = generator.generate(rng);
    for (size_t cell = 0; cell < 16; ++cell) often[cell] += mask[cell];
  }
  // Standard deviation of a share: sqrt(0.625 * 0.375 / 20000) = 0.0034.
  for (const double count : often) EXPECT_NEAR(count / kDraws, 0.625, 5 * 0.0034);
}

TEST(SquareMask, TakesTheSideWhoseShareIsNearest) {
  const auto side = [](double ratio, Grid grid) { return SquareMask({.ratio = ratio}, grid).side(); };
  EXPECT_EQ(side(0.11, {6, 6}), 2);
  EXPECT_EQ(side(0.25, {6, 6}), 3);
  EXPECT_EQ(side(0.44, {6, 6}), 4);
  EXPECT_EQ(side(0.6, {6, 6}), 5);  // 0.69 is nearer than 0.44
  EXPECT_EQ(side(0.01, {6, 6}), 0);
  EXPECT_EQ(side(1.0, {4, 6}), 4);  // no square is larger
}

TEST(SquareMask, StandsAtEveryPlaceAsOneWholeSquare) {
  const SquareMask generator({.ratio = 0.25}, {4, 4});  // 2 x 2 cells: nine places
  std::map<Mask, int> places;
  Rng rng(5, "mask");
  for (int i = 0; i < 900; ++i) ++places[generator.generate(rng)];
  EXPECT_EQ(places.size(), 9u);
  for (const auto& [mask, count] : places) {
    const auto first = static_cast<size_t>(std::find(mask.begin(), mask.end(), 1) - mask.begin());
    EXPECT_EQ(hidden(mask), 4);
    EXPECT_EQ(mask[first + 1] + mask[first + 4] + mask[first + 5], 3);
    EXPECT_GT(count, 50);
  }
}

TEST(BlockwiseMask, HidesExactlyTheCeilOfTheRatio) {
  for (const int64_t side : {4, 6, 12, 14})
    for (const double ratio : {0.1, 0.4, 0.6, 0.8, 0.95})
      for (uint64_t i = 0; i < 20; ++i) {
        Rng rng(1, "mask", i);
        EXPECT_EQ(hidden(BlockwiseMask({.ratio = ratio}, {side, side}).generate(rng)),
                  masked_cells(side * side, ratio));
      }
}

TEST(BlockwiseMask, StopsWhereBeitDoesWhenItNeedNotBeExact) {
  int short_of_it = 0;
  for (uint64_t i = 0; i < 200; ++i) {
    Rng rng(1, "mask", i);
    const int64_t count = hidden(BlockwiseMask({.ratio = 0.6, .exact = false}, {12, 12}).generate(rng));
    EXPECT_LE(count, 87);
    EXPECT_GT(count, 60);
    short_of_it += count < 87;
  }
  EXPECT_GT(short_of_it, 0);
}

TEST(BlockwiseMask, KeepsARectangleWithinItsLargestSize) {
  for (uint64_t i = 0; i < 50; ++i) {
    Rng rng(1, "mask", i);  // one rectangle of at most two cells, and no filling up
    EXPECT_LE(
        hidden(BlockwiseMask({.ratio = 0.02, .min_block = 1, .max_block = 2, .exact = false}, {12, 12}).generate(rng)),
        3);
  }
}

TEST(BlockwiseMask, RefusesRectanglesThatCouldNeverBePlaced) {
  const auto refusal = [](const BlockwiseMask::Options& options) {
    return message([&] { BlockwiseMask(options, {4, 4}); });
  };
  EXPECT_EQ(refusal({.min_block = 4, .max_block = 1}),
            "mask.max_block: 1 is less than mask.min_block, 4; use 4 or more");
  EXPECT_EQ(
      refusal({.min_block = 100}),
      "mask.min_block: 100 is more than a rectangle may have here, where 10 of 4 x 4 cells are hidden; use 1 to 9");
  EXPECT_EQ(refusal({.ratio = 0.2, .min_block = 5}),
            "mask.min_block: 5 is more than a rectangle may have here, where 4 of 4 x 4 cells are hidden; use 1 to 4");
  EXPECT_EQ(refusal({.min_block = 9}), "no error");
  EXPECT_EQ(refusal({.max_block = 1}), "no error");
}

// Where little is hidden, the smallest rectangle is no larger than that: one piece, not cells here and there.
TEST(BlockwiseMask, OfFewCellsIsStillMadeOfRectangles) {
  int alone = 0;
  for (uint64_t i = 0; i < 20; ++i) {
    Rng rng(1, "mask", i);
    const Mask mask = BlockwiseMask({.ratio = 0.05}, {12, 12}).generate(rng);  // 8 of 144; a ninth is 16
    for (int64_t at = 0; at < 144; ++at) {
      const auto hides = [&](int64_t cell) { return mask[static_cast<size_t>(cell)] != 0; };
      if (!hides(at)) continue;
      alone += !((at % 12 > 0 && hides(at - 1)) || (at % 12 < 11 && hides(at + 1)) || (at >= 12 && hides(at - 12)) ||
                 (at < 132 && hides(at + 12)));
    }
  }
  EXPECT_LT(alone, 40);  // of 160
}

TEST(BlockwiseMask, IsMadeOfFewerPiecesThanARandomMask) {
  const auto edges = [](const Mask& mask) {  // pairs of neighbours in a row of which one is hidden
    int count = 0;
    for (size_t i = 0; i < mask.size(); ++i) count += i % 12 != 11 && mask[i] != mask[i + 1];
    return count;
  };
  int blocks = 0, single = 0;
  for (uint64_t i = 0; i < 50; ++i) {
    Rng a(1, "mask", i), b(1, "mask", i);
    blocks += edges(BlockwiseMask({.ratio = 0.4}, {12, 12}).generate(a));
    single += edges(RandomMask({.ratio = 0.4}, {12, 12}).generate(b));
  }
  EXPECT_LT(2 * blocks, single);
}

}  // namespace
}  // namespace simmim
