// The fused block against its definition: outputs and every gradient, in f64, f32 and bf16; where there is a GPU, on
// it.
#include "layers/fused_block.h"

#include <gtest/gtest.h>

#include <optional>

#include "kernels/device.h"
#include "layers/autocast.h"
#include "layers/block.h"

namespace simmim {
namespace {

struct Case {
  const char* name;
  int64_t images, side, dim, heads;
  int64_t window = 0, shift = 0;  // 0: attention over all tokens
  double layer_scale = 0.5, drop_path = 0;
};

std::ostream& operator<<(std::ostream& out, const Case& c) { return out << c.name; }

Tensor waves(at::IntArrayRef shape, double step, at::ScalarType dtype) {
  int64_t count = 1;
  for (const int64_t size : shape) count *= size;
  return (at::arange(count, at::kDouble) * step).sin().view(shape).to(dtype);
}

struct Result {
  Tensor y;
  NamedTensors gradients;  // of the parameters, x and bias
};

// One forward and backward pass of a block with waves for weights.
Result run(const Case& c, at::ScalarType dtype, bool autocast, bool fused, at::Device device = at::kCPU) {
  NamedTensors parameters;
  const Block block(Scope(parameters, {.dtype = dtype, .device = device, .autocast = autocast}),
                    {.dim = c.dim,
                     .heads = c.heads,
                     .layer_scale = c.layer_scale,
                     .drop_path = c.drop_path,
                     .split_qkv_bias = c.layer_scale > 0,
                     .linear = truncated_normal(0.2, 1)});
  {
    const at::NoGradGuard no_grad;
    double step = 0.3;
    for (const auto& [name, parameter] : parameters)
      Tensor(parameter).add_(waves(parameter.sizes(), step += 0.01, dtype).to(device) * 0.1);
  }
  const int64_t L = c.side * c.side, N = c.window ? c.window * c.window : L;
  const at::TensorOptions options = at::TensorOptions().dtype(dtype).device(device);
  const Windows windows = c.window ? cut_windows({c.side, c.side}, c.window, c.shift, options) : Windows{};
  const Tensor x = waves({c.images, L, c.dim}, 0.7, dtype).to(device).requires_grad_();
  const Tensor bias = waves({c.heads, N, N}, 0.11, dtype).to(device).requires_grad_();
  const StepContext step{.training = true, .seed = 1, .step = 2};
  const Windows* cut = c.window ? &windows : nullptr;
  Result out;
  {
    std::optional<Autocast> guard;
    if (autocast) guard.emplace(device.type());
    out.y = fused ? block.forward(x, bias, cut, 3, step) : block.plain(x, bias, cut, 3, step);
  }
  (out.y * waves(out.y.sizes(), 0.37, dtype).to(device)).sum().backward();
  parameters.emplace_back("x", x);
  parameters.emplace_back("bias", bias);
  for (const auto& [name, parameter] : parameters) out.gradients.emplace_back(name, parameter.grad().cpu());
  out.y = out.y.cpu();
  return out;
}

// Largest difference over the largest value.
double distance(const Tensor& got, const Tensor& wanted) {
  const Tensor exact = wanted.to(at::kDouble);
  return ((got.to(at::kDouble) - exact).abs().max() / exact.abs().max()).item<double>();
}

// Every part of `got` is as near to the truth as that of `peer`, the same computation in LibTorch's operations, up to a
// factor: rounding is random, and sums of waves cancel, so no fixed bound would be sharp for all shapes. The largest
// factor seen is 4.1, of q_bias, where almost everything cancels.
void expect_as_near(const Result& got, const Result& peer, const Result& truth, double factor, double floor) {
  EXPECT_LE(distance(got.y, truth.y), factor * distance(peer.y, truth.y) + floor) << "output";
  ASSERT_EQ(got.gradients.size(), truth.gradients.size());
  for (size_t i = 0; i < truth.gradients.size(); ++i)
    EXPECT_LE(distance(got.gradients[i].second, truth.gradients[i].second),
              factor * distance(peer.gradients[i].second, truth.gradients[i].second) + floor)
        << truth.gradients[i].first;
}

class FusedBlockOf : public testing::TestWithParam<Case> {};

TEST_P(FusedBlockOf, IsThePlainBlockInDouble) {
  const Result plain = run(GetParam(), at::kDouble, false, false);
  expect_as_near(run(GetParam(), at::kDouble, false, true), plain, plain, 1, 1e-11);
}

TEST_P(FusedBlockOf, IsAsNearToTheTruthAsThePlainBlockInFloat) {
  expect_as_near(run(GetParam(), at::kFloat, false, true), run(GetParam(), at::kFloat, false, false),
                 run(GetParam(), at::kDouble, false, false), 5, 1e-6);
}

TEST_P(FusedBlockOf, IsAsNearToTheTruthAsThePlainBlockInBfloat) {
  expect_as_near(run(GetParam(), at::kFloat, true, true), run(GetParam(), at::kFloat, true, false),
                 run(GetParam(), at::kDouble, false, false), 3, 1e-3);
}

TEST_P(FusedBlockOf, GivesTheSameBitsAgainOnTwoThreads) {
  const int before = at::get_num_threads();
  at::set_num_threads(2);
  const Result once = run(GetParam(), at::kFloat, false, true);
  for (int i = 0; i < 3; ++i) {
    const Result again = run(GetParam(), at::kFloat, false, true);
    EXPECT_TRUE(again.y.equal(once.y));
    for (size_t g = 0; g < once.gradients.size(); ++g)
      EXPECT_TRUE(again.gradients[g].second.equal(once.gradients[g].second)) << once.gradients[g].first;
  }
  at::set_num_threads(before);
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, FusedBlockOf,
    testing::Values(
        Case{.name = "vit", .images = 5, .side = 8, .dim = 32, .heads = 2},
        Case{.name = "odd_widths", .images = 3, .side = 3, .dim = 20, .heads = 5},
        Case{.name = "many_tokens", .images = 2, .side = 14, .dim = 24, .heads = 3},
        Case{.name = "one_chunk", .images = 2, .side = 24, .dim = 128, .heads = 1},
        Case{.name = "drop_path", .images = 9, .side = 4, .dim = 16, .heads = 1, .drop_path = 0.5},
        Case{.name = "windows", .images = 3, .side = 8, .dim = 32, .heads = 4, .window = 4, .layer_scale = 0},
        Case{.name = "shifted_windows",
             .images = 5,
             .side = 12,
             .dim = 32,
             .heads = 2,
             .window = 6,
             .shift = 3,
             .layer_scale = 0,
             .drop_path = 0.3}),
    [](const auto& row) { return row.param.name; });

const at::Device kDevice = resolve_device("auto");  // before anything asks ATen about CUDA

class FusedBlockOnTheGpu : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    if (!kDevice.is_cuda()) GTEST_SKIP() << "no GPU here: CUDA not tested";
    const Case& c = GetParam();
    const int64_t N = c.window ? c.window * c.window : c.side * c.side;
    for (const bool bf16 : {false, true})  // or it would be compared with itself
      ASSERT_TRUE(can_fuse({.N = N, .D = c.dim, .H = c.heads, .hidden = 4 * c.dim}, kDevice, at::kFloat, bf16));
  }
};

TEST_P(FusedBlockOnTheGpu, IsAsNearToTheTruthAsThePlainBlockInFloat) {
  expect_as_near(run(GetParam(), at::kFloat, false, true, kDevice), run(GetParam(), at::kFloat, false, false, kDevice),
                 run(GetParam(), at::kDouble, false, false), 3, 2e-6);
}

TEST_P(FusedBlockOnTheGpu, IsAsNearToTheTruthAsThePlainBlockInBfloat) {
  expect_as_near(run(GetParam(), at::kFloat, true, true, kDevice), run(GetParam(), at::kFloat, true, false, kDevice),
                 run(GetParam(), at::kDouble, false, false), 3, 1e-3);
}

TEST_P(FusedBlockOnTheGpu, GivesTheSameBitsAgain) {
  const Result once = run(GetParam(), at::kFloat, true, true, kDevice);
  for (int i = 0; i < 3; ++i) {
    const Result again = run(GetParam(), at::kFloat, true, true, kDevice);
    EXPECT_TRUE(again.y.equal(once.y));
    for (size_t g = 0; g < once.gradients.size(); ++g)
      EXPECT_TRUE(again.gradients[g].second.equal(once.gradients[g].second)) << once.gradients[g].first;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, FusedBlockOnTheGpu,
    testing::Values(
        Case{.name = "vit", .images = 3, .side = 14, .dim = 128, .heads = 2},
        Case{.name = "narrow", .images = 5, .side = 4, .dim = 48, .heads = 3, .drop_path = 0.5},
        Case{.name = "windows", .images = 3, .side = 14, .dim = 64, .heads = 2, .window = 7, .layer_scale = 0},
        Case{.name = "shifted_windows",
             .images = 40,
             .side = 24,
             .dim = 64,
             .heads = 2,
             .window = 6,
             .shift = 3,
             .layer_scale = 0,
             .drop_path = 0.3}),
    [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace simmim
