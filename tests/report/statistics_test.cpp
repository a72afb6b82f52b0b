#include "report/statistics.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/files.h"
#include "core/json.h"

namespace simmim {
namespace {

// Student's t table as printed in every textbook (two-sided 95 % and 99 %).
TEST(StudentQuantile, IsThatOfThePrintedTables) {
  const struct {
    double df, t95, t99;
  } rows[] = {{1, 12.706, 63.657}, {2, 4.303, 9.925},  {4, 2.776, 4.604},  {5, 2.571, 4.032},
              {10, 2.228, 3.169},  {20, 2.086, 2.845}, {30, 2.042, 2.750}, {120, 1.980, 2.617}};
  for (const auto& row : rows) {
    EXPECT_NEAR(student_quantile_two_sided(0.95, row.df), row.t95, 5e-4) << row.df;
    EXPECT_NEAR(student_quantile_two_sided(0.99, row.df), row.t99, 5e-4) << row.df;
  }
  EXPECT_NEAR(student_quantile_two_sided(0.95, 1e7), 1.959964, 1e-5);
}

// df = 1 is Cauchy's, df = 2 has a closed form: P(|T| > t) = 1 - t / sqrt(2 + t^2).
TEST(StudentP, AgreesWithTheClosedForms) {
  for (const double t : {0.0, 0.1, 1.0, 3.0, 40.0}) {
    EXPECT_NEAR(student_p_two_sided(t, 1), 1 - 2 / M_PI * std::atan(t), 1e-14) << t;
    EXPECT_NEAR(student_p_two_sided(t, 2), 1 - t / std::sqrt(2 + t * t), 1e-13) << t;
    EXPECT_EQ(student_p_two_sided(t, 7), student_p_two_sided(-t, 7));
  }
  EXPECT_EQ(student_p_two_sided(INFINITY, 3), 0);
}

TEST(IncompleteBeta, AgreesWithItsPolynomialsAndItsSymmetry) {
  for (const double x : {0.0, 0.05, 0.3, 0.5, 0.77, 1.0}) {
    EXPECT_NEAR(incomplete_beta(1, 1, x), x, 1e-15);
    EXPECT_NEAR(incomplete_beta(2, 3, x), x * x * (6 - 8 * x + 3 * x * x), 1e-14);
    EXPECT_NEAR(incomplete_beta(2.5, 60, x) + incomplete_beta(60, 2.5, 1 - x), 1, 1e-13);
  }
}

// Student's own example (Biometrika 1908, table I; Cushny and Peebles' sleep data): t = 4.0621, df = 9, p = 0.00283.
TEST(PairedTTest, AgreesWithStudentsSleepData) {
  const std::vector<double> first{0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0};
  const std::vector<double> second{1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4};
  const Difference d = paired_t_test(second, first);
  EXPECT_NEAR(d.value, 1.58, 1e-12);
  EXPECT_NEAR(d.t, 4.0621, 5e-5);
  EXPECT_EQ(d.df, 9);
  EXPECT_NEAR(d.p, 0.002833, 5e-7);
  EXPECT_NEAR(d.low, 0.7001142, 1e-6);
  EXPECT_NEAR(d.high, 2.4598858, 1e-6);
}

// A randomised block design worked by hand with the usual sums of squares: total 1935 - 129^2/9 = 86, cells 26,
// seeds 54, so 6 remain with 4 degrees of freedom.
TEST(AdditiveModel, AgreesWithARandomisedBlockWorkedByHand) {
  const AdditiveModel model({{10, 12, 14}, {13, 15, 20}, {11, 16, 18}});
  EXPECT_EQ(model.residual_df(), 4);
  EXPECT_NEAR(model.residual_deviation(), std::sqrt(6.0 / 4), 1e-12);
  const Difference d = model.difference(1, 0);
  EXPECT_NEAR(d.value, 4, 1e-12);
  EXPECT_NEAR(d.standard_error, 1, 1e-12);
  EXPECT_NEAR(d.p, 0.016130090, 1e-9);  // in closed form, s^2 = 1 + t^2/4: 1 - 3/4 t/s (1 - t^2/(12 s^2))
  EXPECT_NEAR(model.smallest_difference(), 2.7764451, 1e-6);
  EXPECT_GT(model.smallest_difference(8), model.smallest_difference());
}

TEST(AdditiveModel, OfTwoCellsIsThePairedTTest) {
  const std::vector<double> a{80.1, 81.4, 79.9, 82.0}, b{80.9, 81.9, 80.2, 82.9};
  const Difference paired = paired_t_test(b, a), additive = AdditiveModel({a, b}).difference(1, 0);
  EXPECT_NEAR(additive.value, paired.value, 1e-12);
  EXPECT_NEAR(additive.standard_error, paired.standard_error, 1e-12);
  EXPECT_EQ(additive.df, paired.df);
  EXPECT_NEAR(additive.p, paired.p, 1e-12);
}

TEST(AdditiveModel, TakesWhatASeedDoesToAllCellsAlikeOutOfTheNoise) {
  const std::vector<std::vector<double>> plain{{1.0, 1.1, 0.9}, {2.0, 2.2, 1.9}},
      shifted{{11.0, 21.1, 0.9}, {12.0, 22.2, 1.9}};
  EXPECT_NEAR(AdditiveModel(plain).difference(1, 0).p, AdditiveModel(shifted).difference(1, 0).p, 1e-9);
}

// Holm 1979's scheme on the values of R's ?p.adjust example.
TEST(Holm, AgreesWithRsPAdjust) {
  const std::vector<double> corrected = holm({0.01, 0.02, 0.03, 0.04, 0.05});
  const double expected[] = {0.05, 0.08, 0.09, 0.09, 0.09};
  for (int i = 0; i < 5; ++i) EXPECT_NEAR(corrected[static_cast<size_t>(i)], expected[i], 1e-12);
  const std::vector<double> mixed = holm({0.04, 0.001, 0.6});
  EXPECT_NEAR(mixed[0], 0.08, 1e-12);
  EXPECT_NEAR(mixed[1], 0.003, 1e-12);
  EXPECT_NEAR(mixed[2], 0.6, 1e-12);
  EXPECT_TRUE(holm({}).empty());
}

TEST(Moments, DivideByNMinusOneAndSayNothingOfOneValue) {
  EXPECT_NEAR(standard_deviation({2, 4, 4, 4, 5, 5, 7, 9}), std::sqrt(32.0 / 7), 1e-12);
  EXPECT_TRUE(std::isnan(standard_deviation({5})));
  EXPECT_TRUE(std::isnan(mean({})));
  EXPECT_NEAR(sampling_error_percent(80, 10000), 0.4, 1e-12);
}

// scripts/golden/significance.py wrote what scipy and statsmodels say; agreement to about ten digits.
const Json& published() {
  static const Json json = read_json_file(fs::path(SIMMIM_SOURCE_DIR) / "tests/golden/statistics.json");
  return json;
}

void expect_close(double got, const Json& wanted, const std::string& where) {
  const double value = wanted.get<double>();
  EXPECT_NEAR(got, value, 1e-9 * std::max(1.0, std::abs(value))) << where;
}

TEST(StudentQuantile, IsScipys) {
  for (const Json& row : published()["quantiles"])
    expect_close(student_quantile_two_sided(row["confidence"], row["df"]), row["t"], row.dump());
}

TEST(StudentP, IsScipys) {
  for (const Json& row : published()["tails"]) {
    const double p = student_p_two_sided(row["t"], row["df"]);
    EXPECT_NEAR(p / row["p"].get<double>(), 1, 1e-8) << row.dump();  // tails of 1e-39 too
  }
}

TEST(PairedTTest, IsScipys) {
  for (const Json& row : published()["paired"]) {
    const Difference d = paired_t_test(row["first"], row["second"]);
    for (const auto& [got, key] :
         {std::pair{d.value, "value"}, {d.t, "t"}, {d.p, "p"}, {d.df, "df"}, {d.low, "low"}, {d.high, "high"}})
      expect_close(got, row[key], key);
  }
}

TEST(AdditiveModel, IsStatsmodelsLeastSquaresWithHolmsCorrectionAndItsSmallestDifference) {
  ASSERT_EQ(published()["additive"].size(), 6u);
  for (const Json& row : published()["additive"]) {
    const AdditiveModel model(row["values"].get<std::vector<std::vector<double>>>());
    EXPECT_EQ(model.residual_df(), row["df"]);
    expect_close(model.residual_deviation(), row["deviation"], "deviation");
    std::vector<double> p;
    for (size_t cell = 1; cell <= row["differences"].size(); ++cell) {
      const Difference d = model.difference(cell, 0);
      const Json& wanted = row["differences"][cell - 1];
      for (const auto& [got, key] : {std::pair{d.value, "value"},
                                     {d.standard_error, "standard_error"},
                                     {d.t, "t"},
                                     {d.p, "p"},
                                     {d.low, "low"},
                                     {d.high, "high"}})
        expect_close(got, wanted[key], key);
      p.push_back(d.p);
    }
    const std::vector<double> corrected = holm(p);
    for (size_t i = 0; i < p.size(); ++i) expect_close(corrected[i], row["holm"][i], "holm");
    expect_close(model.smallest_difference(), row["smallest"], "smallest");
    expect_close(model.smallest_difference(p.size()), row["smallest_of_all"], "smallest of all");
  }
}

TEST(Holm, IsStatsmodels) {
  for (const Json& row : published()["holm"]) {
    const std::vector<double> corrected = holm(row["p"]);
    for (size_t i = 0; i < corrected.size(); ++i) expect_close(corrected[i], row["corrected"][i], row.dump());
  }
}

}  // namespace
}  // namespace simmim
