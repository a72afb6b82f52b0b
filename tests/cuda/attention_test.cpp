// Attention as a GPU runs it, tensor cores and all, beside the CPU's.
#include "cuda/on_host.h"
// The kernels need the names that it gives them.
#include "cuda/attention.cuh"
#include "twin.h"

namespace simmim::cuda {
namespace {

struct Shape {
  const char* name;
  int64_t sequences, N, H, d, windows = 0;  // windows: 0 for no mask
  int64_t groups = 1;
};
std::ostream& operator<<(std::ostream& out, const Shape& shape) { return out << shape.name; }

// The first n columns of rows that are `columns` wide.
Numbers<float> cut(const Numbers<float>& from, int64_t columns, int64_t n) {
  Numbers<float> out;
  for (size_t i = 0; i < from.size(); ++i)
    if (static_cast<int64_t>(i) % columns < n) out.push_back(from[i]);
  return out;
}

struct Tolerance {
  double out, d_qkv, d_bias;
};
// Float through three tf32 products is nearly exact. In bf16 the probabilities and their gradients are rounded, which
// the CPU does not do; what cancels in a gradient is not smaller for it.
template <class E>
constexpr Tolerance kAllowed = {2e-6, 4e-6, 4e-6};
template <>
constexpr Tolerance kAllowed<bf16> = {1e-2, 2e-2, 2e-2};

template <class E>
void check(const Shape& shape) {
  const auto [name, S, N, H, d, windows, groups] = shape;
  const int64_t D = H * d, columns = kernels::attention_columns(N);
  const Numbers<E> qkv = waves<E>(S * N * 3 * D, 0.3), d_out = waves<E>(S * N * D, 0.41);
  const Numbers<float> qkv_bias = waves<float>(3 * D, 0.7, 0.5);
  Numbers<float> bias = waves<float>(H * N * columns, 0.11, 2), mask(static_cast<size_t>(windows * N * columns));
  for (size_t i = 0; i < bias.size(); ++i)
    if (static_cast<int64_t>(i) % columns >= N) bias[i] = kernels::kHidden<float>;
  for (int64_t w = 0; w < windows; ++w)
    for (int64_t q = 0; q < N; ++q)
      for (int64_t k = 0; k < N; ++k)
        mask[static_cast<size_t>((w * N + q) * columns + k)] = (q * (w + 1) / N == k * (w + 1) / N) ? 0.f : -100.f;

  Numbers<E> out = unset<E>(S * N * D), wanted_out = out;
  Numbers<float> softmax = unset<float>(S * H * N), wanted_softmax = softmax;
  const auto forward = [&](Numbers<E>& to, Numbers<float>& to_softmax) {
    return AttentionForward<float, E>{qkv.data(),
                                      qkv_bias.data(),
                                      bias.data(),
                                      windows ? mask.data() : nullptr,
                                      S,
                                      N,
                                      H,
                                      d,
                                      std::max<int64_t>(windows, 1),
                                      to.data(),
                                      to_softmax.data()};
  };
  attention_forward<E>(forward(out, softmax), 0, S * H);
  const auto& cpu = twin<E>();
  const int64_t cpu_groups = cpu.groups(S, H);
  cpu.attention_forward(forward(wanted_out, wanted_softmax), 0, cpu_groups * H);
  const Tolerance allowed = kAllowed<E>;
  EXPECT_LE(distance(out, wanted_out), allowed.out);

  Numbers<E> d_qkv = unset<E>(S * N * 3 * D), wanted_d_qkv = d_qkv;
  const int64_t square = H * N * columns;
  const auto sums = [](int64_t count, int64_t width) {
    return Numbers<float>(static_cast<size_t>(count * width), 0.25f);
  };
  Numbers<float> d_bias = sums(groups, square), d_qkv_bias = sums(groups, 3 * D);  // both are added to
  Numbers<float> wanted_bias(static_cast<size_t>(cpu_groups * square)),
      wanted_qkv_bias(static_cast<size_t>(cpu_groups * 3 * D));
  attention_backward<E>({forward(out, softmax), d_out.data(), d_qkv.data(), d_bias.data(), d_qkv_bias.data()}, 0,
                        groups * H);
  cpu.attention_backward({forward(wanted_out, wanted_softmax), d_out.data(), wanted_d_qkv.data(), wanted_bias.data(),
                          wanted_qkv_bias.data()},
                         0, cpu_groups * H);
  for (float& x : d_bias) x -= 0.25f;
  for (float& x : d_qkv_bias) x -= 0.25f;
  EXPECT_LE(distance(d_qkv, wanted_d_qkv), allowed.d_qkv);
  EXPECT_LE(distance(cut(total(d_bias, square), columns, N), cut(total(wanted_bias, square), columns, N)),
            allowed.d_bias);
  EXPECT_LE(distance(total(d_qkv_bias, 3 * D), total(wanted_qkv_bias, 3 * D)), allowed.d_qkv);
}

class AttentionOnTheGpu : public testing::TestWithParam<Shape> {
 protected:
  void SetUp() override {
    if (!kernels::operations<float, float>()) GTEST_SKIP() << "no AVX2 here: there is no twin to compare with";
  }
};

TEST_P(AttentionOnTheGpu, IsTheCpusInFloat) { check<float>(GetParam()); }
TEST_P(AttentionOnTheGpu, IsTheCpusInBfloat) { check<bf16>(GetParam()); }

INSTANTIATE_TEST_SUITE_P(
    Shapes, AttentionOnTheGpu,
    testing::Values(
        Shape{.name = "windows_of_4", .sequences = 5, .N = 16, .H = 3, .d = 16, .groups = 2},
        Shape{.name = "shifted_windows_of_6", .sequences = 7, .N = 36, .H = 2, .d = 32, .windows = 3, .groups = 3},
        Shape{.name = "shifted_windows_of_7", .sequences = 4, .N = 49, .H = 1, .d = 32, .windows = 4, .groups = 1},
        Shape{.name = "windows_of_8", .sequences = 2, .N = 64, .H = 1, .d = 64, .groups = 2},
        Shape{.name = "shifted_windows_of_12", .sequences = 2, .N = 144, .H = 1, .d = 32, .windows = 2, .groups = 1},
        Shape{.name = "vit", .sequences = 2, .N = 197, .H = 1, .d = 64, .groups = 1},
        Shape{.name = "few_tokens", .sequences = 3, .N = 5, .H = 2, .d = 16, .windows = 2, .groups = 1}),
    [](const auto& row) { return row.param.name; });

TEST(AttentionsShapes, WhatDoesNotFitIsNotTaken) {
  EXPECT_TRUE(attention_takes<bf16>(49, 32));
  EXPECT_TRUE(attention_takes<float>(197, 64));
  EXPECT_FALSE(attention_takes<float>(49, 20));
  EXPECT_FALSE(attention_takes<float>(1000, 64));
}

TEST(AttentionsShapes, WarpsShareTheTilesEvenly) {
  EXPECT_EQ(attention_warps(36), 3);
  EXPECT_EQ(attention_warps(197), 7);  // 13 tiles in two rounds
}

}  // namespace
}  // namespace simmim::cuda
