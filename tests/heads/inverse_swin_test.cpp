// What it computes, and which sizes fit.
#include "heads/inverse_swin.h"

#include <gtest/gtest.h>

#include "core/json.h"
#include "heads/heads.h"

namespace simmim {
namespace {

const FeatureShape kSwinBase{1024, 32, 6};  // at 192 pixels

std::unique_ptr<Head> make(const Json& options, NamedTensors& parameters, const FeatureShape& features,
                           const PredictionShape& prediction, const ModelContext& context = {.device = at::kMeta}) {
  Json block = {{"name", "inverse_swin"}};
  block.update(options);
  const auto& row = find_variant(heads(), block, "head");
  return row.make(row.resolve(block, "head"), Scope(parameters, context), features, prediction);
}

TEST(InverseSwinHead, CountsTheWorkOfEveryProduct) {
  NamedTensors parameters;
  const auto head =
      make({{"dim", 8}, {"depths", {1, 1}}, {"heads", {2, 1}}, {"window", 2}}, parameters, {16, 4, 4}, {3, 4});
  // A cell: 16 -> 8, a block of width 8, 8 -> 16; four tokens with a block of width 4 and 4 -> 3 * 2 * 2.
  const double block_8 = 12 * 8 * 8 + 2 * 4 * 8, block_4 = 12 * 4 * 4 + 2 * 4 * 4;
  EXPECT_DOUBLE_EQ(head->flops(), 2 * (16 * 8 + block_8 + 8 * 16 + 4 * (block_4 + 4 * 12)));
}

TEST(InverseSwinHead, PredictsEveryResolutionThatDividesTheImage) {
  const Json small = {{"dim", 16}, {"depths", {1, 1, 1}}, {"heads", {1, 1, 1}}};
  for (const int64_t side : {1, 2, 4, 8}) {
    NamedTensors parameters;
    const auto head = make(small, parameters, {8, 8, 3}, {3, side}, {});
    const Tensor features = at::arange(2 * 8 * 9, at::kFloat).sin().view({2, 8, 3, 3});
    EXPECT_EQ(head->forward(features).sizes(), (at::IntArrayRef{2, 3, 3 * side, 3 * side}));
  }
}

TEST(InverseSwinHead, PredictsACoarseTargetFromTheMeanOfItsTokens) {
  const Json small = {{"dim", 8}, {"depths", {1, 1}}, {"heads", {1, 1}}};
  const Tensor features = at::arange(8 * 16, at::kDouble).sin().view({1, 8, 4, 4});
  const auto predict = [&](int64_t side) {
    NamedTensors parameters;
    return make(small, parameters, {8, 4, 4}, {3, side}, {.dtype = at::kDouble})->forward(features);
  };
  // One value a token, and one a cell: the same weights, and the last layer is linear.
  EXPECT_TRUE(at::adaptive_avg_pool2d(predict(2), {4, 4}).allclose(predict(1), 0, 1e-12));
}

TEST(InverseSwinHead, SeesTheNeighboursOfACell) {
  NamedTensors parameters;
  const auto head =
      make({{"dim", 8}, {"depths", {2, 1}}, {"heads", {1, 1}}}, parameters, {8, 4, 4}, {3, 4}, {.dtype = at::kDouble});
  EXPECT_FALSE(head->pointwise());
  const Tensor features = at::arange(8 * 16, at::kDouble).sin().view({1, 8, 4, 4});
  Tensor other = features.clone();
  other.select(2, 3).select(2, 3).add_(1);  // the last cell
  EXPECT_FALSE(
      head->forward(other).slice(2, 0, 4).slice(3, 0, 4).equal(head->forward(features).slice(2, 0, 4).slice(3, 0, 4)));
}

std::string refusal(const Json& options, const FeatureShape& features, const PredictionShape& prediction) {
  try {
    NamedTensors parameters;
    make(options, parameters, features, prediction);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::usage);
    return error.what();
  }
  return "";
}

TEST(InverseSwinHead, RefusesWhatDoesNotFitAndSaysWhatDoes) {
  EXPECT_EQ(
      refusal(Json::object(), {128, 4, 8}, {3, 4}),
      "head.depths: 4 stages double the grid 3 times, which the 4 pixels of the encoder's cells do not allow; give "
      "at most 3 in head.depths and head.heads, or take an encoder whose cells are a multiple of 8 pixels");
  EXPECT_EQ(refusal({{"depths", {2, 2}}}, kSwinBase, {3, 32}),
            "head.heads: 4 stages where head.depths has 2; give one number a stage in both");
  EXPECT_EQ(
      refusal({{"heads", {24, 12, 6, 5}}}, kSwinBase, {3, 32}),
      "head.heads[3]: 5 heads do not divide 768 halved 3 times, the stage's width; change head.heads or head.dim");
  EXPECT_EQ(refusal({{"window", 4}}, kSwinBase, {3, 32}),
            "head.window: 4 does not divide the 6 tokens a side of stage 0; use auto or 6");
  EXPECT_EQ(refusal(Json::object(), {768, 24, 8}, {3, 3}),
            "target.resolution: 3 values a side of a cell neither divide nor are divided by the 8 tokens of the head's "
            "last stage; use 64 or 192");
  EXPECT_EQ(refusal(Json::object(), {768, 16, 14}, {3, 16}), "");  // ViT-B at 224 pixels
}

}  // namespace
}  // namespace simmim
