// Every target, and what each of them is made of.
#include "targets/targets.h"

#include <gtest/gtest.h>

namespace simmim {
namespace {

std::unique_ptr<Target> target(const Json& block, const TargetSite& site) {
  const auto& row = find_variant(targets(), block, "target");
  return row.make(row.resolve(block, "target"), site);
}

std::unique_ptr<Target> pixels(Json options, int64_t image_size) {
  options["name"] = "pixels";
  return target(options, {.image_size = image_size});
}

// 8-bit colours (1,3,S,S) as images of ImageNet's normalisation.
const TargetSite kSite{.image_size = 16, .cells = 4, .mean = {0.485, 0.456, 0.406}, .std = {0.229, 0.224, 0.225}};

Tensor normalised(const Tensor& bytes) {
  Tensor out = bytes.to(at::kFloat).div(255);
  for (int64_t c = 0; c < 3; ++c)
    out.select(1, c).sub_(kSite.mean[static_cast<size_t>(c)]).div_(kSite.std[static_cast<size_t>(c)]);
  return out;
}

Tensor some_bytes(int64_t B) { return (at::arange(B * 3 * 256) * 37).remainder(256).view({B, 3, 16, 16}); }

TEST(Targets, HaveTheShapeTheyState) {
  for (const auto& row : targets()) {
    const auto made = row.make(row.resolve(Json::object(), "target"), kSite);
    const Tensor of = made->of(normalised(some_bytes(2)));
    EXPECT_EQ(of.sizes(), (at::IntArrayRef{2, made->channels(), made->resolution(), made->resolution()})) << row.name;
    EXPECT_EQ(made->resolution() % kSite.cells, 0) << row.name;
    if (made->classes() > 0) {
      EXPECT_EQ(of.scalar_type(), at::kLong) << row.name;
      EXPECT_GE(of.min().item<int64_t>(), 0) << row.name;
      EXPECT_LT(of.max().item<int64_t>(), made->classes()) << row.name;
    }
  }
}

TEST(Targets, AreDrawnAsColoursOfAnAreaThatDividesTheImage) {
  for (const auto& row : targets()) {
    const auto made = row.make(row.resolve(Json::object(), "target"), kSite);
    const int64_t r = made->resolution();
    const Tensor prediction =
        at::arange(2 * made->channels() * std::max<int64_t>(1, made->classes()) * r * r, at::kFloat)
            .sin()
            .view({2, -1, r, r});
    const Tensor drawn = made->draw(prediction, normalised(some_bytes(2)));
    EXPECT_EQ(drawn.size(1), 3) << row.name;
    EXPECT_EQ(16 % drawn.size(2), 0) << row.name;
    EXPECT_TRUE(at::isfinite(drawn).all().item<bool>()) << row.name;
  }
}

TEST(Targets, ThatDoNotFitTheCellsAreRefused) {
  for (const auto& row : targets())
    for (const int64_t resolution : {2, 12, 32}) {
      try {
        row.make(row.resolve({{"resolution", resolution}}, "target"), kSite);
        ADD_FAILURE() << row.name << " " << resolution;
      } catch (const Error& error) {
        EXPECT_NE(std::string(error.what()).find("use 4, 8 or 16"), std::string::npos) << error.what();
      }
    }
}

TEST(Targets, OfClassesHaveAnEighthOfTheImagesPixelsWhereThatFits) {
  const auto resolution = [](int64_t image_size, int64_t cells) {
    return target({{"name", "color_bins"}}, {.image_size = image_size, .cells = cells})->resolution();
  };
  EXPECT_EQ(resolution(192, 6), 24);   // Swin
  EXPECT_EQ(resolution(224, 14), 28);  // ViT-B
  EXPECT_EQ(resolution(32, 8), 8);     // vit_nano: one target pixel a cell
  EXPECT_EQ(resolution(96, 8), 16);    // 12 is no multiple of 8
  EXPECT_EQ(resolution(100, 5), 20);   // 12.5
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

TEST(ColorScale, FindsEvery8BitValueAgain) {
  const Tensor bytes = at::arange(3 * 256).remainder(256).view({1, 3, 16, 16});
  EXPECT_TRUE(ColorScale(kSite).bytes(normalised(bytes)).equal(bytes.to(at::kFloat)));
  EXPECT_TRUE(ColorScale(kSite).normalised(bytes).allclose(normalised(bytes), 0, 1e-5));
}

// bin = min(N - 1, floor(v * N / 256))
TEST(ColorBins, AreEqualPartsOfTheValues) {
  const Tensor bytes = at::arange(3 * 256).remainder(256).view({1, 3, 16, 16});
  for (const int64_t bins : {2, 8, 10, 255, 256}) {
    const Tensor got =
        target({{"name", "color_bins"}, {"bins", bins}, {"resolution", 16}}, kSite)->of(normalised(bytes)).flatten();
    for (int64_t i = 0; i < 768; ++i)
      ASSERT_EQ(got[i].item<int64_t>(), std::min(bins - 1, i % 256 * bins / 256)) << bins << " bins of " << i % 256;
  }
}

TEST(ColorBins, AverageColoursBeforeTheyBinThem) {
  Tensor bytes = at::zeros({1, 3, 16, 16}, at::kLong);
  bytes.slice(3, 0, 16, 2).fill_(255);  // every other column: means of 127.5
  const Tensor got = target({{"name", "color_bins"}, {"bins", 4}, {"resolution", 8}}, kSite)->of(normalised(bytes));
  EXPECT_TRUE(got.eq(1).all().item<bool>());  // 127.5 * 4 / 256 = 1.99; the mean of the bins would be 1.5
}

TEST(ColorBins, AreDrawnAsTheMiddlesOfTheLikeliestBins) {
  const auto bins = target({{"name", "color_bins"}, {"bins", 4}, {"resolution", 4}}, kSite);
  Tensor logits = at::zeros({1, 12, 4, 4});
  logits[0][0 * 4 + 3].fill_(1);                                                // red: 192..255
  logits[0][1 * 4 + 0].fill_(1);                                                // green: 0..63
  logits[0][2 * 4 + 1].fill_(1);                                                // blue: 64..127
  const Tensor drawn = ColorScale(kSite).bytes(bins->draw(logits, {}) + 1e-4);  // halves round up
  EXPECT_EQ(drawn[0][0][2][1].item<float>(), 224);
  EXPECT_EQ(drawn[0][1][2][1].item<float>(), 32);
  EXPECT_EQ(drawn[0][2][2][1].item<float>(), 96);
}

}  // namespace
}  // namespace simmim
