#include "config/memory.h"

#include <gtest/gtest.h>

namespace simmim {
namespace {

constexpr MemoryEstimate kEstimate{.program = 100, .weights = 100, .training = 300, .per_image = 50, .loader = 0};

TEST(Pieces, AreOneWhereTheBatchFitsOrTheMemoryIsUnknown) {
  EXPECT_EQ(pieces_that_fit(kEstimate, 8, 1000), 1);  // 900 of 1000 bytes
  EXPECT_EQ(pieces_that_fit(kEstimate, 1000, 0), 1);
}

TEST(Pieces, AreAsFewAsFit) {
  EXPECT_EQ(pieces_that_fit(kEstimate, 9, 1000), 2);
  EXPECT_EQ(pieces_that_fit(kEstimate, 17, 1000), 3);  // of 6 images at most
}

TEST(Pieces, AreSingleImagesWhereNotEvenTheModelFits) { EXPECT_EQ(pieces_that_fit(kEstimate, 16, 300), 16); }

TEST(MemoryEstimate, HoldsGradientsAndTwoMomentsBesideTheWeights) {
  const MemoryEstimate f32 = estimate_memory(1000, 7, {.device = at::kCUDA}, 4, 8);
  EXPECT_EQ(f32.weights + f32.training, 4 * 4000);
  EXPECT_EQ(f32.total(3) - f32.total(1), 14);
  EXPECT_EQ(f32.program + f32.loader, 0);
  const MemoryEstimate bf16 = estimate_memory(1000, 7, {.device = at::kCUDA, .autocast = true}, 4, 8);
  EXPECT_EQ(bf16.weights - f32.weights, 2000);  // the copies that matrix products read
}

}  // namespace
}  // namespace simmim
