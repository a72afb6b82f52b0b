// The kernels by themselves, without LibTorch: both instruction sets, against sums written out here in double.
#include "kernels/cpu.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "kernels/isa.h"

namespace simmim::kernels {
namespace {

// The tables that this processor can run.
template <class T, class E>
std::vector<std::pair<const char*, const Operations<T, E>*>> tables() {
  std::vector<std::pair<const char*, const Operations<T, E>*>> out;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) out.emplace_back("avx2", avx2::table<T, E>());
  if (operations<T, E>() == avx512::table<T, E>()) out.emplace_back("avx512", avx512::table<T, E>());
  return out;
}

template <class T>
std::vector<T> waves(int64_t count, double step, double size = 1) {
  std::vector<T> out;
  for (int64_t i = 0; i < count; ++i) out.push_back(static_cast<T>(size * std::sin(step * static_cast<double>(i + 1))));
  return out;
}

double gelu(double x) { return 0.5 * x * (1 + std::erf(x / std::sqrt(2))); }
double gelu_slope(double x) {
  return 0.5 * (1 + std::erf(x / std::sqrt(2))) + x * std::exp(-x * x / 2) / std::sqrt(2 * M_PI);
}

TEST(Gelu, IsTheErrorFunctionsToSingleAccuracy) {
  const int64_t rows = 3, D = 1001;  // not a multiple of any vector
  std::vector<float> h(static_cast<size_t>(rows * D)), zeros(static_cast<size_t>(D)), out(h.size()), dh(h.size()),
      sums(zeros.size());
  for (size_t i = 0; i < h.size(); ++i) h[i] = static_cast<float>(i) * 0.008f - 12.f;
  const std::vector<float> ones(h.size(), 1.f);
  for (const auto& [name, ops] : tables<float, float>()) {
    ops->gelu_forward({h.data(), zeros.data(), rows, D, out.data()}, 0, rows);
    for (size_t i = 0; i < h.size(); ++i)
      ASSERT_NEAR(out[i], gelu(h[i]), 3e-7 * (1 + std::abs(h[i]))) << name << " " << h[i];
    ops->gelu_backward({h.data(), ones.data(), zeros.data(), rows, D, out.data(), dh.data(), sums.data()}, 0, 1);
    for (size_t i = 0; i < h.size(); ++i) ASSERT_NEAR(dh[i], gelu_slope(h[i]), 1e-6) << name << " " << h[i];
    EXPECT_NEAR(sums[7], dh[7] + dh[7 + 1001] + dh[7 + 2002], 1e-6);
  }
}

TEST(Gelu, KeepsWhatIsNotANumber) {
  std::vector<float> h(16, 0.f), zeros(16, 0.f), out(16);
  h[3] = NAN;
  h[5] = INFINITY;
  for (const auto& [name, ops] : tables<float, float>()) {
    ops->gelu_forward({h.data(), zeros.data(), 1, 16, out.data()}, 0, 1);
    EXPECT_TRUE(std::isnan(out[3])) << name;
    EXPECT_EQ(out[5], INFINITY) << name;
    EXPECT_EQ(out[4], 0) << name;
  }
}

TEST(Bfloat, RoundsToNearestEvenAndKeepsNaN) {
  // Through residual_forward: y = 0 + (branch + 0), branch read as bf16; and through norm-free GELU of large numbers,
  // out = h.
  const float values[] = {256.5f, 257.f, 259.f, 1e30f, NAN, INFINITY};
  std::vector<bf16> h(16), out(16);
  std::vector<float> bias(16, 0.f);
  for (size_t i = 0; i < 6; ++i) bias[i] = values[i];  // h is 0: the sum is the bias, rounded on the way out
  for (const auto& [name, ops] : tables<float, bf16>()) {
    ops->gelu_forward({h.data(), bias.data(), 1, 16, out.data()}, 0, 1);
    const auto back = [&](size_t i) {
      const uint32_t bits = uint32_t{out[i].bits} << 16;
      float value;
      std::memcpy(&value, &bits, sizeof value);
      return value;
    };
    EXPECT_EQ(back(0), 256.f) << name;  // spacing is 2 here
    EXPECT_EQ(back(1), 256.f) << name;  // a tie goes to the even one
    EXPECT_EQ(back(2), 260.f) << name;
    EXPECT_NEAR(back(3) / 1e30f, 1, 1e-2) << name;
    EXPECT_TRUE(std::isnan(back(4))) << name;
    EXPECT_EQ(back(5), INFINITY) << name;
  }
}

TEST(Product, IsTheSumWrittenOutForRowsAndWidthsOfAnyRemainder) {
  for (const auto& [name, ops] : tables<double, double>())
    for (const int64_t rows : {1, 5, 65})
      for (const int64_t N : {16, 48, 80}) {
        const int64_t K = 400;  // more than are taken at a time
        const std::vector<double> a = waves<double>(rows * K, 0.3), b = waves<double>(K * N, 0.7);
        std::vector<double> packed(b.size()), transposed(b.size()), c(static_cast<size_t>(rows * N)), same(c.size());
        for (int64_t k = 0; k < K; ++k)
          for (int64_t j = 0; j < N; ++j)
            transposed[static_cast<size_t>(j * K + k)] = b[static_cast<size_t>(k * N + j)];
        const int64_t parts = (N + kPackColumns - 1) / kPackColumns;
        ops->pack({b.data(), K, N, false, packed.data()}, 0, parts);
        ops->product({a.data(), packed.data(), K, N, c.data()}, 0, rows);
        ops->pack({transposed.data(), K, N, true, packed.data()}, 0, parts);
        ops->product({a.data(), packed.data(), K, N, same.data()}, 0, rows / 2);  // the range of one thread
        ops->product({a.data(), packed.data(), K, N, same.data()}, rows / 2, rows);
        EXPECT_EQ(c, same) << name;
        for (int64_t i = 0; i < rows; ++i)
          for (int64_t j = 0; j < N; ++j) {
            double wanted = 0;
            for (int64_t k = 0; k < K; ++k)
              wanted += a[static_cast<size_t>(i * K + k)] * b[static_cast<size_t>(k * N + j)];
            ASSERT_NEAR(c[static_cast<size_t>(i * N + j)], wanted, 1e-12) << name << " " << rows << " " << N;
          }
      }
}

TEST(WeightGradient, AddsTheProductOfAllRows) {
  const int64_t rows = 300, out = 40, in = 48;  // more rows than are taken at a time
  for (const auto& [name, ops] : tables<float, float>()) {
    const std::vector<float> d_out = waves<float>(rows * out, 0.3), input = waves<float>(rows * in, 0.7);
    std::vector<float> sum(static_cast<size_t>(out * in), 2);
    ops->weight_gradient({d_out.data(), input.data(), rows, out, in, sum.data()}, 0, 20);
    ops->weight_gradient({d_out.data(), input.data(), rows, out, in, sum.data()}, 20, out);
    for (int64_t i = 0; i < out; ++i)
      for (int64_t j = 0; j < in; ++j) {
        double wanted = 2;
        for (int64_t r = 0; r < rows; ++r)
          wanted +=
              static_cast<double>(d_out[static_cast<size_t>(r * out + i)]) * input[static_cast<size_t>(r * in + j)];
        ASSERT_NEAR(sum[static_cast<size_t>(i * in + j)], wanted, 1e-4) << name;
      }
  }
}

TEST(Attention, IsTheSoftmaxWrittenOut) {
  const int64_t S = 3, N = 5, H = 2, d = 6, columns = attention_columns(N);
  const std::vector<double> qkv = waves<double>(S * N * 3 * H * d, 0.3), qkv_bias = waves<double>(3 * H * d, 0.7);
  std::vector<double> bias(static_cast<size_t>(H * N * columns), kHidden<double>);
  for (int64_t row = 0; row < H * N; ++row)
    for (int64_t j = 0; j < N; ++j)
      bias[static_cast<size_t>(row * columns + j)] = std::cos(static_cast<double>(row * N + j));
  std::vector<double> out(static_cast<size_t>(S * N * H * d)), largest(static_cast<size_t>(S * H * N));
  for (const auto& [name, ops] : tables<double, double>()) {
    ops->attention_forward(
        {qkv.data(), qkv_bias.data(), bias.data(), nullptr, S, N, H, d, 1, out.data(), largest.data()}, 0,
        attention_groups(S, H) * H);
    const auto part = [&](int64_t s, int64_t t, int64_t which, int64_t h, int64_t c) {
      const int64_t column = (which * H + h) * d + c;
      return qkv[static_cast<size_t>((s * N + t) * 3 * H * d + column)] + qkv_bias[static_cast<size_t>(column)];
    };
    for (int64_t s = 0; s < S; ++s)
      for (int64_t h = 0; h < H; ++h)
        for (int64_t i = 0; i < N; ++i) {
          std::vector<double> p;
          double sum = 0, most = -1e30;
          for (int64_t j = 0; j < N; ++j) {
            double score = bias[static_cast<size_t>((h * N + i) * columns + j)];
            for (int64_t c = 0; c < d; ++c) score += part(s, i, 0, h, c) * part(s, j, 1, h, c) / std::sqrt(6.0);
            sum += p.emplace_back(std::exp(score));
            most = std::max(most, score);
          }
          EXPECT_NEAR(largest[static_cast<size_t>((s * H + h) * N + i)], most, 1e-12) << name;
          for (int64_t c = 0; c < d; ++c) {
            double wanted = 0;
            for (int64_t j = 0; j < N; ++j) wanted += p[static_cast<size_t>(j)] / sum * part(s, j, 2, h, c);
            EXPECT_NEAR(out[static_cast<size_t>((s * N + i) * H * d + h * d + c)], wanted, 1e-12) << name;
          }
        }
  }
}

TEST(Attention, CountsEnoughItemsWhateverTheShape) {
  EXPECT_EQ(attention_groups(1, 4), 1);
  EXPECT_EQ(attention_groups(1000, 2), 8);
  EXPECT_EQ(attention_groups(1000, 32), 1);
  EXPECT_EQ(attention_columns(64), 64);
  EXPECT_EQ(attention_columns(65), 80);
}

}  // namespace
}  // namespace simmim::kernels
