#include <gtest/gtest.h>

#include "targets/targets.h"

namespace simmim {
namespace {

std::unique_ptr<Target> pixels(const Json& options, int64_t image_size) {
  const auto& row = targets().front();
  return row.make(row.resolve(options, "target"), image_size);
}

TEST(Pixels, AtFullResolutionAreTheImage) {
  const Tensor images = at::arange(2 * 3 * 16, at::kFloat).view({2, 3, 4, 4});
  EXPECT_TRUE(pixels(Json::object(), 4)->of(images).equal(images));
  EXPECT_EQ(pixels(Json::object(), 4)->resolution(), 4);
}

TEST(Pixels, AtLowerResolutionAreMeansOfSquares) {
  const Tensor images = at::arange(2 * 3 * 16, at::kFloat).view({2, 3, 4, 4});
  const Tensor small = pixels({{"resolution", 2}}, 4)->of(images);
  EXPECT_EQ(small.sizes(), (at::IntArrayRef{2, 3, 2, 2}));
  EXPECT_EQ(small[0][0][0][1].item<float>(), (2 + 3 + 6 + 7) / 4.f);
  EXPECT_EQ(small[1][2][1][0].item<float>(), 80 + (8 + 9 + 12 + 13) / 4.f);
}

TEST(Pixels, OfAResolutionThatDoesNotDivideTheImageAreRefused) {
  try {
    pixels({{"resolution", 3}}, 4);
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "target.resolution: 3 does not divide the image's 4 pixels a side; use 1, 2 or 4");
  }
}

}  // namespace
}  // namespace simmim
