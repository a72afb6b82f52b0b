// Against tables that the official code resized (tests/golden/remap_*.safetensors), the q values of the fact sheet, and
// properties of the not-a-knot spline.
#include "weights/remap.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <tuple>

#include "core/json.h"
#include "temporary.h"
#include "weights/tensor_file.h"

namespace simmim {
namespace {

TEST(GeometricRatio, IsThatOfTheOfficialBisection) {
  EXPECT_NEAR(geometric_ratio(11, 13), 1.091281, 1e-6);
  EXPECT_NEAR(geometric_ratio(23, 27), 1.032893, 1e-6);
  EXPECT_NEAR(geometric_ratio(13, 15), 1.061402, 1e-6);
  EXPECT_NEAR(geometric_ratio(13, 7), 1.01, 1e-5);  // shrinking: the lower end
}

TEST(TableLayout, TellsSwinFromTheThreeRowsOfTheClassToken) {
  const auto expect = [](int64_t rows, int64_t side, int64_t extra) {
    EXPECT_EQ(table_layout(rows).side, side) << rows;
    EXPECT_EQ(table_layout(rows).extra, extra) << rows;
  };
  expect(121, 11, 0);
  expect(9, 3, 0);
  expect(1, 1, 0);
  expect(732, 27, 3);
  expect(4, 1, 3);
  expect(100, 0, 0);
  expect(0, 0, 0);
}

double interpolate(const std::vector<double>& x, const std::function<double(double)>& f, double at) {
  const std::vector<double> w = spline_weights(x, {at});
  double sum = 0;
  for (size_t i = 0; i < x.size(); ++i) sum += w[i] * f(x[i]);
  return sum;
}

TEST(Spline, IsExactForCubicsAndClampsBeyondItsEnds) {
  const auto cubic = [](double t) { return 1 - 2 * t + 0.5 * t * t + 0.25 * t * t * t; };
  const std::vector<double> x = {-3, -1.2, -0.5, 0, 0.7, 2, 2.5};
  for (double t = -3; t <= 2.5; t += 0.05) EXPECT_NEAR(interpolate(x, cubic, t), cubic(t), 1e-12) << t;
  EXPECT_NEAR(interpolate(x, cubic, 9), cubic(2.5), 1e-12);
  EXPECT_NEAR(interpolate(x, cubic, -9), cubic(-3), 1e-12);
  const std::vector<double> four = {0, 1, 3, 4};  // not-a-knot with four points is the one cubic through them
  for (double t = 0; t <= 4; t += 0.1) EXPECT_NEAR(interpolate(four, cubic, t), cubic(t), 1e-12) << t;
}

// scipy.interpolate.CubicSpline([-2, -1, 0.5, 1, 3, 4], [0, 1, 0, 2, -1, 1], bc_type="not-a-knot")
TEST(Spline, IsTheNotAKnotSplineOfScipy) {
  const std::vector<double> x = {-2, -1, 0.5, 1, 3, 4}, y = {0, 1, 0, 2, -1, 1};
  const std::pair<double, double> expected[] = {{-1.5, 1.3228488792480115},
                                                {-0.25, -0.41685873101952309},
                                                {0.75, 1.0034684562545193},
                                                {2, 1.6775126536514828},
                                                {3.5, -1.0242227042660883}};
  for (const auto& [at, value] : expected)
    EXPECT_NEAR(
        interpolate(
            x, [&](double t) { return y[static_cast<size_t>(std::find(x.begin(), x.end(), t) - x.begin())]; }, at),
        value, 1e-12)
        << at;
}

TEST(Spline, ThroughFewPointsIsThePolynomialThroughThem) {
  const auto square = [](double t) { return t * t - t; };
  for (double t = -1; t <= 1; t += 0.1) EXPECT_NEAR(interpolate({-1, 0, 1}, square, t), square(t), 1e-14);
  EXPECT_NEAR(interpolate({0, 2}, square, 1), 1, 1e-14);
  EXPECT_EQ(interpolate({0}, square, 5), 0);
}

std::vector<double> resized(const std::vector<double>& table, int64_t heads, int64_t src, int64_t dst) {
  return resize_table(table, heads, {src, 0}, {dst, 0});
}

TEST(ResizeTable, IsTheOfficialInterpolation) {
  const TensorFile file = TensorFile::open(golden("remap_tables.safetensors"));
  for (const auto& [src, dst] : {std::pair{11, 13}, {23, 27}, {13, 15}, {7, 9}, {13, 7}}) {
    const std::string name = fmt::format("{}to{}", src, dst);
    const std::vector<double> expected = to_doubles(*file.find(name + ".dst"));
    const std::vector<double> got = resized(to_doubles(*file.find(name + ".src")), 2, src, dst);
    ASSERT_EQ(got.size(), expected.size());
    // The golden values are float32 of a double computation: only that rounding may differ.
    for (size_t i = 0; i < got.size(); ++i)
      EXPECT_NEAR(got[i], expected[i], 1e-7 * std::abs(expected[i]) + 1e-12) << name << " " << i;
  }
}

TEST(ResizeTable, KeepsTheRowsOfTheClassTokenAndEqualSizes) {
  std::vector<double> table;
  for (int i = 0; i < (9 + 3) * 2; ++i) table.push_back(i * i);
  const std::vector<double> got = resize_table(table, 2, {3, 3}, {5, 3});
  ASSERT_EQ(got.size(), (25u + 3) * 2);
  EXPECT_TRUE(std::equal(got.end() - 6, got.end(), table.end() - 6));
  EXPECT_EQ(resize_table(table, 2, {3, 3}, {3, 3}), table);
}

// The official code raises for a side of three; what ours makes of it is written in weights/remap.h.
TEST(ResizeTable, OfASideTooSmallForACubicIsSymmetricAndKeepsTheCentre) {
  const std::vector<double> table = {1, 2, 1, 3, 7, 3, 1, 2, 1};
  const std::vector<double> got = resized(table, 1, 3, 5);
  EXPECT_NEAR(got[12], 7, 1e-12);
  for (size_t row = 0; row < 5; ++row)
    for (size_t column = 0; column < 5; ++column)
      EXPECT_NEAR(got[row * 5 + column], got[(4 - row) * 5 + 4 - column], 1e-12);
  EXPECT_NEAR(got[0], 1, 1e-12);  // beyond the old table: its edge
  EXPECT_EQ(resized({4}, 1, 1, 3), std::vector<double>(9, 4));
}

TEST(ResizePositions, IsTorchsBicubicInterpolation) {
  const Json wanted = read_json_file(golden("positions.json"));
  for (const auto& [src, dst] : {std::pair<int64_t, int64_t>{4, 7}, {6, 4}, {3, 12}}) {
    std::vector<double> grid;  // of the script's formula (scripts/golden/encoders.py)
    const int64_t count = src * src * 2;
    for (int64_t i = 0; i < count; ++i)
      grid.push_back(static_cast<double>(((37 * i + 101) * i + 7 * count) % 10007) / 10007 * 2 - 1);
    const auto truth = wanted[fmt::format("{}to{}", src, dst)].get<std::vector<double>>();
    const std::vector<double> got = resize_positions(grid, 2, 0, src, dst);
    ASSERT_EQ(got.size(), truth.size());
    for (size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], truth[i], 1e-12) << src << " to " << dst;
  }
}

TEST(ResizePositions, KeepsTheClassTokensRow) {
  const std::vector<double> resized = resize_positions({7, 8, 1, 2, 1, 2, 1, 2, 1, 2}, 2, 1, 2, 3);
  ASSERT_EQ(resized.size(), 2u + 18u);
  EXPECT_EQ(resized[0], 7);
  EXPECT_EQ(resized[1], 8);
  for (size_t i = 2; i < resized.size(); ++i) EXPECT_NEAR(resized[i], i % 2 == 0 ? 1 : 2, 1e-12);
}

}  // namespace
}  // namespace simmim
