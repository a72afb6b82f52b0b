// What the layers promise one by one; parity of the whole is in tests/model.
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include "layers/attention.h"
#include "layers/drop_path.h"
#include "layers/patch_embed.h"
#include "layers/relative_bias.h"
#include "layers/rows.h"
#include "layers/window.h"

namespace simmim {
namespace {

const at::TensorOptions kDoubles = at::TensorOptions().dtype(at::kDouble);

Tensor numbers(at::IntArrayRef shape, double step = 0.37) {
  Tensor out = at::empty(shape, kDoubles);
  for (int64_t i = 0; i < out.numel(); ++i) out.data_ptr<double>()[i] = std::sin(step * static_cast<double>(i + 1));
  return out;
}

TEST(Scope, GivesTheSameWeightsForTheSameSeedAndOthersForAnother) {
  const auto make = [](uint64_t seed, const char* name) {
    NamedTensors store;
    return (Scope(store, {.seed = seed}) / "encoder").make(name, {300, 500}, truncated_normal(0.02, 2)).detach();
  };
  EXPECT_TRUE(make(1, "w").equal(make(1, "w")));
  EXPECT_FALSE(make(1, "w").equal(make(2, "w")));
  EXPECT_FALSE(make(1, "w").equal(make(1, "v")));
}

TEST(Scope, NamesAndCollectsParametersInOrder) {
  NamedTensors store;
  const Scope scope(store, {.dtype = at::kDouble, .device = at::kMeta});
  (scope / "blocks" / 3).make("norm.weight", {7}, constant(1));
  scope.make("bias", {2, 2}, constant(0));
  ASSERT_EQ(store.size(), 2u);
  EXPECT_EQ(store[0].first, "blocks.3.norm.weight");
  EXPECT_TRUE(store[0].second.is_meta() && store[0].second.requires_grad());
  EXPECT_EQ(count_elements(store), 11);
}

TEST(Init, DrawsTheDistributionItNames) {
  Tensor out = at::empty({400000}, kDoubles);
  fill_initial(out, truncated_normal(0.02, 0.02), 0, "a");
  EXPECT_LE(out.abs().max().item<double>(), 0.02);
  EXPECT_NEAR(out.std().item<double>(), 0.02 * 0.53956, 1e-4);  // of a normal cut at one standard deviation
  EXPECT_NEAR(out.mean().item<double>(), 0, 1e-4);
  fill_initial(out, scaled(uniform(3), 0.5), 0, "a");
  EXPECT_NEAR(out.max().item<double>(), 1.5, 1e-3);
  EXPECT_NEAR(out.std().item<double>(), 1.5 / std::sqrt(3), 5e-3);
}

TEST(PatchEmbed, IsTheStridedConvolution) {
  NamedTensors store;
  const PatchEmbed embed(Scope(store, {.dtype = at::kDouble}), 4, 5, truncated_normal(1, 2), uniform(1));
  const Tensor images = numbers({2, 3, 8, 12});
  const Tensor tokens = embed(images);
  EXPECT_EQ(tokens.sizes(), (at::IntArrayRef{2, 6, 5}));
  double wanted = embed.bias[2].item<double>();  // token (row 1, column 2) of image 1, channel 2
  for (int64_t c = 0; c < 3; ++c)
    for (int64_t i = 0; i < 4; ++i)
      for (int64_t j = 0; j < 4; ++j)
        wanted += embed.weight[2][c][i][j].item<double>() * images[1][c][4 + i][8 + j].item<double>();
  EXPECT_NEAR(tokens[1][5][2].item<double>(), wanted, 1e-12);
}

TEST(RelativeIndex, CountsRowsBeforeColumnsAndGivesTheClassTokenItsOwn) {
  const Tensor index = relative_index({2, 3}, true, at::kCPU);  // offsets: 3 x 5 = 15, then 3 of the class token
  const auto at_ = [&](int64_t i, int64_t j) { return index[i][j].item<int64_t>(); };
  EXPECT_EQ(at_(1, 1), 1 * 5 + 2);            // no offset
  EXPECT_EQ(at_(1, 6), (0 - 1 + 1) * 5 + 0);  // first asks last: dy -1, dx -2
  EXPECT_EQ(at_(6, 1), 2 * 5 + 4);
  EXPECT_EQ(at_(0, 4), 15);
  EXPECT_EQ(at_(4, 0), 16);
  EXPECT_EQ(at_(0, 0), 17);
  EXPECT_EQ(index.max().item<int64_t>(), relative_rows({2, 3}, true) - 1);
}

TEST(Windows, AreCutInOrderAndShiftedByHalf) {
  const Windows straight = cut_windows({4, 4}, 2, 0, kDoubles), shifted = cut_windows({4, 4}, 2, 1, kDoubles);
  EXPECT_TRUE(straight.order.slice(0, 0, 8).equal(at::tensor(at::ArrayRef<int64_t>{0, 1, 4, 5, 2, 3, 6, 7})));
  EXPECT_TRUE(shifted.order.slice(0, 0, 4).equal(at::tensor(at::ArrayRef<int64_t>{5, 6, 9, 10})));
  EXPECT_TRUE(shifted.order.slice(0, 12).equal(at::tensor(at::ArrayRef<int64_t>{15, 12, 3, 0})));
  EXPECT_TRUE(shifted.order.index_select(0, shifted.inverse).equal(at::arange(16)));
  EXPECT_FALSE(straight.mask.defined());
}

TEST(Windows, HideWhatOnlyTheWrapAroundMadeNeighbours) {
  const Tensor mask = cut_windows({4, 4}, 2, 1, kDoubles).mask;  // 4 windows of 4 tokens
  EXPECT_EQ(mask[0].abs().sum().item<double>(), 0);              // wholly inside
  EXPECT_EQ(mask[1][0][1].item<double>(), -100);                 // columns 3 and 0
  EXPECT_EQ(mask[1][0][2].item<double>(), 0);                    // rows 1 and 2 of column 3
  EXPECT_EQ((mask[3] == 0).sum().item<int64_t>(), 4);            // the corner: everyone only sees itself
  EXPECT_TRUE(mask.equal(mask.transpose(1, 2)));
}

TEST(Reorder, GivesGradientsBackByTheInverseOrder) {
  const Windows windows = cut_windows({4, 4}, 2, 1, kDoubles);
  const Tensor x = numbers({2, 16, 3}).requires_grad_();
  const Tensor weights = numbers({2, 16, 3}, 0.91);
  (reorder(x, windows.order, windows.inverse) * weights).sum().backward();
  EXPECT_TRUE(x.grad().equal(weights.index_select(1, windows.inverse)));
}

TEST(TakeRows, PutsGradientsWhereTheRowsCameFrom) {
  const Tensor x = numbers({6, 2}).requires_grad_(), index = at::tensor(at::ArrayRef<int64_t>{4, 1});
  const Tensor weights = numbers({2, 2}, 0.91);
  (take_rows(x, index) * weights).sum().backward();
  EXPECT_TRUE(x.grad()[4].equal(weights[0]) && x.grad()[1].equal(weights[1]));
  EXPECT_EQ(x.grad().abs().sum().item<double>(), weights.abs().sum().item<double>());
}

TEST(DropPath, DropsTheNamedShareAndKeepsTheMean) {
  const StepContext step{.training = true, .seed = 3, .step = 7};
  const Tensor factors = drop_path(0.3, 20000, 4, step, kDoubles);
  EXPECT_NEAR((factors == 0).to(at::kDouble).mean().item<double>(), 0.3, 0.01);
  EXPECT_NEAR(factors.mean().item<double>(), 1, 0.02);
  EXPECT_FALSE(drop_path(0, 8, 4, step, kDoubles).defined());
  EXPECT_FALSE(drop_path(0.3, 8, 4, {.training = false}, kDoubles).defined());
}

TEST(DropPath, DrawsByImageSoThatPiecesEqualTheWhole) {
  const auto draw = [](int64_t first, int64_t count, int64_t step, int64_t branch) {
    return drop_path(0.5, count, branch, {.training = true, .seed = 3, .step = step, .first = first}, kDoubles);
  };
  EXPECT_TRUE(draw(0, 64, 7, 4).equal(at::cat({draw(0, 40, 7, 4), draw(40, 24, 7, 4)})));
  EXPECT_FALSE(draw(0, 64, 7, 4).equal(draw(0, 64, 8, 4)));
  EXPECT_FALSE(draw(0, 64, 7, 4).equal(draw(0, 64, 7, 5)));
}

TEST(DropPathRates, RiseFromZeroToTheRate) {
  EXPECT_EQ(drop_path_rates(0.1, 1), std::vector<double>{0});
  EXPECT_EQ(drop_path_rates(0.2, 3), (std::vector<double>{0, 0.1, 0.2}));
}

}  // namespace
}  // namespace simmim
