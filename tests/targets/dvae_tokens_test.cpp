#include "targets/dvae_tokens.h"

#include <gtest/gtest.h>

#include "targets/targets.h"
#include "temporary.h"

namespace simmim {
namespace {

const std::string kFile = SIMMIM_SOURCE_DIR "/tests/targets/files/dvae.safetensors";  // stride 4, 6 tokens, a decoder
const std::string kPublished = SIMMIM_SOURCE_DIR "/tests/targets/files/encoder.pkl";  // stride 8, 12 tokens
const TargetSite kTokenSite{.image_size = 16, .cells = 4, .mean = {0.485, 0.456, 0.406}, .std = {0.229, 0.224, 0.225}};

Tensor some_float_bytes() { return (at::arange(2 * 3 * 256) * 37).remainder(256).view({2, 3, 16, 16}).to(at::kFloat); }
Tensor some_images() { return ColorScale(kTokenSite).normalised(some_float_bytes()); }

TEST(DvaeTokens, AreTheLikeliestOfTheUnnormalisedImage) {
  const DvaeTokens target({.tokenizer = kFile}, kTokenSite);
  EXPECT_EQ(target.resolution(), 4);
  EXPECT_EQ(target.classes(), 6);
  const auto dvae = load_dvae(kFile, {});
  const Tensor wanted = (*dvae->encoder)(some_float_bytes() / 255).argmax(1, true), got = target.of(some_images());
  EXPECT_TRUE(got.equal(wanted));
  EXPECT_GT(got.max().item<int64_t>(), got.min().item<int64_t>());
}

TEST(DvaeTokens, OfAnotherResolutionAreThoseOfTheResizedImage) {
  const Tensor flat = at::full({1, 3, 16, 16}, 200.0f);
  for (const auto& [file, resolution] : {std::pair{kFile, 8}, {kPublished, 8}, {kPublished, 4}, {kPublished, 16}}) {
    const DvaeTokens target({.tokenizer = file, .resolution = resolution}, kTokenSite);
    EXPECT_EQ(target.of(some_images()).sizes(), (at::IntArrayRef{2, 1, resolution, resolution}));
    // A picture of one colour stays one, whatever its size.
    const auto dvae = load_dvae(file, {});
    const int64_t side = resolution * dvae->sizes.stride();
    const Tensor wanted = (*dvae->encoder)(at::full({1, 3, side, side}, 200.0f / 255)).argmax(1, true);
    EXPECT_TRUE(target.of(ColorScale(kTokenSite).normalised(flat)).equal(wanted)) << file << " " << resolution;
  }
}

TEST(DvaeTokens, OfAPublishedEncoderHaveAtLeastOneForEachCell) {
  EXPECT_EQ(DvaeTokens({.tokenizer = kPublished}, kTokenSite).resolution(), 4);  // 16 / 8 are fewer than the 4 cells
  const auto resolution = [](int64_t image_size, int64_t cells) {
    return DvaeTokens({.tokenizer = kPublished},
                      {.image_size = image_size, .cells = cells, .context = {.device = at::kMeta}})
        .resolution();
  };
  EXPECT_EQ(resolution(192, 6), 24);
  EXPECT_EQ(resolution(224, 14), 28);
}

TEST(DvaeTokens, HaveNoGradient) {
  const DvaeTokens target({.tokenizer = kFile}, kTokenSite);
  EXPECT_FALSE(target.of(some_images().requires_grad_()).requires_grad());
}

TEST(DvaeTokens, AreDrawnByTheDecoderOfTheirFileOrElseGrey) {
  const DvaeTokens target({.tokenizer = kFile}, kTokenSite);
  Tensor logits = at::zeros({1, 6, 4, 4});
  logits[0][5].fill_(1);
  const auto dvae = load_dvae(kFile, {});
  const Tensor wanted = dvae->decoder->pixels(at::full({1, 4, 4}, 5, at::kLong)) * 255;
  EXPECT_TRUE(ColorScale(kTokenSite).bytes(target.draw(logits, some_images())).allclose(wanted.round(), 0, 1.01));
  const Tensor grey = DvaeTokens({.tokenizer = kPublished}, kTokenSite).draw(at::zeros({2, 12, 4, 4}), some_images());
  EXPECT_TRUE(ColorScale(kTokenSite).bytes(grey).sub(127.5).abs().le(0.5).all().item<bool>());
}

TEST(DvaeTokens, NeedATokenizer) {
  const auto& row = find_variant(targets(), {{"name", "dvae_tokens"}}, "target");
  EXPECT_EQ(error_of(Code::usage, [&] { row.make(row.resolve(Json::object(), "target"), kTokenSite); })
                .find("target.tokenizer: none is given"),
            0u);
  const std::string missing = error_of(Code::data, [&] { DvaeTokens({.tokenizer = "no such file"}, kTokenSite); });
  EXPECT_NE(missing.find("no such file"), std::string::npos) << missing;
}

}  // namespace
}  // namespace simmim
