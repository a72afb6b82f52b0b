// Every target, and what each of them is made of.
#include "targets/targets.h"

#include <gtest/gtest.h>

#include "core/json.h"
#include "needed_options.h"
#include "targets/color_clusters.h"
#include "temporary.h"
#include "weights/npy.h"

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
    const auto made = row.make(row.resolve(needed_options(row), "target"), kSite);
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
    const auto made = row.make(row.resolve(needed_options(row), "target"), kSite);
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
        row.make(row.resolve(needed_options(row, {{"resolution", resolution}}), "target"), kSite);
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

// An edge in the middle overshoots by the cubic's weights (a = -0.5) stretched to twice their width.
TEST(Pixels, MayBeDownsampledByAnAntialiasedCubic) {
  Tensor images = at::zeros({1, 3, 8, 8});
  images.slice(3, 4, 8).fill_(16);
  const auto made = pixels({{"resolution", 4}, {"downsample", "bicubic"}}, 8);
  const Tensor row = made->of(images)[0][1][2];
  const double wanted[] = {-0.2008368, 1.0501931, 14.9498069, 16.2008368};
  for (int64_t i = 0; i < 4; ++i) EXPECT_NEAR(row[i].item<double>(), wanted[i], 1e-5);
  EXPECT_TRUE(pixels({{"downsample", "bicubic"}}, 8)->of(images).equal(images));
}

const Json& golden() {
  static const Json file = read_json_file(fs::path(SIMMIM_SOURCE_DIR) / "tests/targets/golden.json");
  return file;
}

// The images of scripts/golden/targets.py.
Tensor golden_images() {
  const Tensor i = at::arange(2 * 3 * 64 * 64, at::kDouble);
  return ((i * 0.37).sin() * (i * 0.0011).sin() * 1.5).clamp(-0.9, 1.2).view({2, 3, 64, 64});
}

void expect_golden(const Tensor& got, const Json& wanted, double tolerance, const std::string& what) {
  const Tensor flat = got.to(at::kDouble).flatten();
  EXPECT_NEAR(flat.sum().item<double>(), wanted["sum"].get<double>(), tolerance * 1e3) << what;
  EXPECT_NEAR(flat.square().sum().item<double>(), wanted["squares"].get<double>(), tolerance * 1e4) << what;
  for (size_t k = 0; k < wanted["every_509th"].size(); ++k)
    EXPECT_NEAR(flat[static_cast<int64_t>(k) * 509].item<double>(), wanted["every_509th"][k].get<double>(), tolerance)
        << what << ", value " << k * 509;
}

TEST(Pixels, NormalisedByPatchAreThoseOfMae) {
  const TargetSite site{.image_size = 64, .cells = 2};
  for (const auto& [side, wanted] : golden()["patch"].items()) {
    const Json options = {{"name", "pixels"}, {"normalise", "patch"}, {"patch", std::stoi(side)}};
    expect_golden(target(options, site)->of(golden_images()), wanted, 1e-9, "patch " + side);
    expect_golden(target(options, site)->of(golden_images().to(at::kFloat)), wanted, 2e-3, "patch " + side);
  }
  expect_golden(target({{"name", "pixels"}, {"normalise", "patch"}}, site)->of(golden_images()),
                golden()["patch"]["32"], 1e-9, "a feature cell");
}

TEST(Pixels, NormalisedByWindowAreThoseOfSwinV2) {
  const TargetSite site{.image_size = 64, .cells = 2};
  for (const auto& [side, wanted] : golden()["window"].items()) {
    const Json options = {{"name", "pixels"}, {"normalise", "window"}, {"window", std::stoi(side)}};
    expect_golden(target(options, site)->of(golden_images()), wanted, 1e-8, "window " + side);
  }
  expect_golden(target({{"name", "pixels"}, {"normalise", "window"}}, site)->of(golden_images()),
                golden()["window"]["47"], 1e-8, "the default");
}

// A window by hand: only pixels of the image count, each channel alone, the variance over n - 1.
TEST(Pixels, NormalisedByWindowCountOnlyPixelsOfTheImage) {
  const Tensor image = golden_images().slice(2, 0, 8).slice(3, 0, 8).slice(0, 0, 1);
  const Tensor got =
      target({{"name", "pixels"}, {"normalise", "window"}, {"window", 5}}, {.image_size = 8, .cells = 2})->of(image);
  for (const auto& [y, x] : {std::pair{0, 0}, {4, 4}, {7, 2}}) {
    double sum = 0, squares = 0, n = 0;
    for (int64_t v = std::max(0, y - 2); v <= std::min(7, y + 2); ++v)
      for (int64_t u = std::max(0, x - 2); u <= std::min(7, x + 2); ++u) {
        const double value = image[0][1][v][u].item<double>();
        sum += value, squares += value * value, ++n;
      }
    const double mean = sum / n, variance = (squares - n * mean * mean) / (n - 1);
    EXPECT_NEAR(got[0][1][y][x].item<double>(), (image[0][1][y][x].item<double>() - mean) / std::sqrt(variance + 1e-6),
                1e-9);
  }
}

TEST(Pixels, NormalisedAreAveragedAfterwards) {
  for (const char* how : {"patch", "window"}) {
    const auto made = [&](int64_t resolution) {
      return target({{"name", "pixels"}, {"normalise", how}, {"window", 5}, {"resolution", resolution}}, kSite);
    };
    const Tensor image = normalised(some_bytes(2));
    EXPECT_TRUE(made(8)->of(image).allclose(average_squares(made(16)->of(image), 8), 0, 1e-5)) << how;
  }
}

TEST(Pixels, NormalisedAreDrawnWithTheStatisticsOfTheImage) {
  for (const char* how : {"none", "patch", "window"}) {
    const auto made = target({{"name", "pixels"}, {"normalise", how}, {"window", 5}}, kSite);
    const Tensor image = normalised(some_bytes(2));
    EXPECT_TRUE(made->draw(made->of(image), image).allclose(image, 0, 1e-4)) << how;
  }
}

TEST(Pixels, WithANormalisationThatCannotWorkAreRefused) {
  const auto refusal = [](Json options) -> std::string {
    options["name"] = "pixels";
    try {
      target(options, kSite);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::usage);
      return error.what();
    }
    return "accepted";
  };
  EXPECT_EQ(refusal({{"normalise", "window"}, {"window", 46}}),
            "target.window: got 46; allowed: an odd number, such as 47");
  EXPECT_EQ(refusal({{"normalise", "patch"}, {"patch", 5}}),
            "target.patch: 5 does not divide the image's 16 pixels a side; use 4");
  EXPECT_NE(refusal({{"normalise", "patch"}, {"resolution", 4}}).find("is always 0 when normalised"),
            std::string::npos);
  EXPECT_EQ(refusal({{"normalise", "window"}, {"resolution", 4}}), "accepted");
}

TEST(ColorClusters, AreTheNearestCentres) {
  const Temporary folder;
  const Json& wanted = golden()["clusters"];
  std::vector<float> centers;
  for (const Json& center : wanted["centers"])
    for (const Json& value : center) centers.push_back(value);
  Tensor bytes = at::empty({1, 3, 8, 8}, at::kLong);  // 64 colours
  for (int64_t i = 0; i < 64; ++i)
    for (int64_t c = 0; c < 3; ++c)
      bytes[0][c][i / 8][i % 8].fill_(wanted["colors"][static_cast<size_t>(i)][static_cast<size_t>(c)].get<int64_t>());
  TargetSite site = kSite;
  site.image_size = 8;
  for (const char* name : {"centers.npy", "centers.safetensors"}) {
    write_centers(folder / name, centers);
    const auto clusters =
        target({{"name", "color_clusters"}, {"resolution", 8}, {"centers", (folder / name).string()}}, site);
    EXPECT_EQ(clusters->classes(), 16);
    const Tensor got = clusters->of(normalised(bytes)).flatten();
    for (int64_t i = 0; i < 64; ++i)
      EXPECT_EQ(got[i].item<int64_t>(), wanted["nearest"][static_cast<size_t>(i)].get<int64_t>()) << i;
    // Drawn, a colour is its centre: round(127.5 (c + 1)).
    Tensor logits = at::zeros({1, 16, 8, 8});
    logits[0][5].fill_(1);
    const Tensor drawn = ColorScale(site).bytes(clusters->draw(logits, {}));
    EXPECT_NEAR(drawn[0][1][3][3].item<float>(), 127.5 * (centers[5 * 3 + 1] + 1), 0.51);
  }
}

TEST(ColorClusters, FromAFileThatDoesNotHoldThemAreRefused) {
  const Temporary folder;
  const auto refusal = [&](const Json& options) -> std::string {
    Json block = {{"name", "color_clusters"}, {"centers", (folder / "c.npy").string()}};
    block.update(options);
    try {
      target(block, kSite);
    } catch (const Error& error) {
      return error.what();
    }
    return "accepted";
  };
  EXPECT_NE(refusal(Json::object()).find("c.npy"), std::string::npos);  // there is none
  write_npy(folder / "c.npy", {2, 4}, std::vector<float>(8));
  EXPECT_NE(refusal(Json::object()).find("got an array of shape [2, 4]; allowed: [K, 3]"), std::string::npos);
  write_npy(folder / "c.npy", {2, 3}, {0, 0, 0, 0, 0, 255});
  EXPECT_NE(refusal(Json::object()).find("got a centre with the value 255; allowed: -1 to 1"), std::string::npos);
  write_npy(folder / "c.npy", {2, 3}, {0, 0, 0, 1, 1, 1});
  EXPECT_EQ(refusal(Json::object()), "accepted");
  EXPECT_NE(refusal({{"clusters", 512}}).find("target.clusters: got 512, but"), std::string::npos);
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
