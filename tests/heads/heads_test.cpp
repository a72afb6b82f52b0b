#include "heads/heads.h"

#include <gtest/gtest.h>

#include "heads/linear.h"
#include "small.h"

namespace simmim {
namespace {

std::unique_ptr<Head> make_small(const HeadFamily::value_type& row, NamedTensors& parameters, at::ScalarType dtype) {
  return row.make(row.resolve(small_head(row.name), "head"), Scope(parameters, {.dtype = dtype}), FeatureShape{8, 4, 4},
                  PredictionShape{3, 2});
}

TEST(ShuffleCells, IsThePixelShuffleOfTheChannelsFirstMap) {
  Tensor rows = at::empty({2, 3, 2, 5 * 4});  // 5 channels, side 2
  for (int64_t i = 0; i < rows.numel(); ++i) rows.data_ptr<float>()[i] = static_cast<float>(i);
  EXPECT_TRUE(shuffle_cells(rows, 2).equal(at::pixel_shuffle(rows.permute({0, 3, 1, 2}).contiguous(), 2)));
}

TEST(Heads, PredictEveryCellAndLearn) {
  for (const auto& row : heads()) {
    NamedTensors parameters;
    const auto head = make_small(row, parameters, at::kFloat);
    const Tensor features = at::arange(2 * 8 * 16, at::kFloat).sin().view({2, 8, 4, 4}).requires_grad_();
    const Tensor prediction = head->forward(features);
    EXPECT_EQ(prediction.sizes(), (at::IntArrayRef{2, 3, 8, 8})) << row.name;
    EXPECT_GT(head->flops(), 0) << row.name;
    prediction.square().sum().backward();
    for (const auto& [name, parameter] : parameters)
      EXPECT_TRUE(at::isfinite(parameter.grad()).all().item<bool>() && parameter.grad().abs().sum().item<double>() > 0)
          << name;
  }
}

TEST(Heads, ThatClaimToBePointwiseAre) {
  for (const auto& row : heads()) {
    NamedTensors parameters;
    const auto head = make_small(row, parameters, at::kDouble);
    if (!head->pointwise()) continue;
    const Tensor features = at::arange(8 * 16, at::kDouble).sin().view({1, 8, 4, 4});
    const Tensor cell = features.slice(2, 1, 2).slice(3, 2, 3);
    EXPECT_TRUE(head->forward(cell).allclose(head->forward(features).slice(2, 2, 4).slice(3, 4, 6), 0, 1e-12))
        << row.name;
  }
}

}  // namespace
}  // namespace simmim
