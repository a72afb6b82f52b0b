#include "report/statistics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/error.h"

namespace simmim {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// Lentz's continued fraction of the incomplete beta function (Numerical Recipes 6.4), good for x < (a + 1)/(a + b + 2).
double beta_fraction(double a, double b, double x) {
  constexpr double kTiny = 1e-300;
  const auto away_from_zero = [](double value) { return std::abs(value) < kTiny ? kTiny : value; };
  double c = 1, d = 1 / away_from_zero(1 - (a + b) * x / (a + 1)), fraction = d;
  for (int m = 1; m <= 10000; ++m) {
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / away_from_zero(1 + even * d);
    c = away_from_zero(1 + even / c);
    fraction *= d * c;
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / away_from_zero(1 + odd * d);
    c = away_from_zero(1 + odd / c);
    const double factor = d * c;
    fraction *= factor;
    if (std::abs(factor - 1) < 1e-15) break;
  }
  return fraction;
}

}  // namespace

double mean(const std::vector<double>& values) {
  return values.empty() ? kNaN
                        : std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double standard_deviation(const std::vector<double>& values) {
  if (values.size() < 2) return kNaN;
  const double center = mean(values);
  double sum = 0;
  for (const double value : values) sum += (value - center) * (value - center);
  return std::sqrt(sum / static_cast<double>(values.size() - 1));
}

double incomplete_beta(double a, double b, double x) {
  SIMMIM_CHECK(a > 0 && b > 0 && x >= 0 && x <= 1, "a {}, b {}, x {}", a, b, x);
  if (x == 0 || x == 1) return x;
  const double front =
      std::exp(std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) + a * std::log(x) + b * std::log1p(-x));
  if (x < (a + 1) / (a + b + 2)) return front * beta_fraction(a, b, x) / a;
  return 1 - front * beta_fraction(b, a, 1 - x) / b;
}

double student_p_two_sided(double t, double df) {
  return std::isinf(t) ? 0 : incomplete_beta(df / 2, 0.5, df / (df + t * t));
}

double student_quantile_two_sided(double confidence, double df) {
  SIMMIM_CHECK(confidence > 0 && confidence < 1 && df > 0, "confidence {}, df {}", confidence, df);
  double low = 0, high = 1;
  while (student_p_two_sided(high, df) > 1 - confidence) high *= 2;
  for (int i = 0; i < 200 && high - low > 1e-15 * high; ++i) {
    const double middle = 0.5 * (low + high);
    (student_p_two_sided(middle, df) > 1 - confidence ? low : high) = middle;
  }
  return 0.5 * (low + high);
}

Difference make_difference(double value, double standard_error, double df) {
  Difference d{value, standard_error, df};
  d.t = standard_error > 0 ? value / standard_error
        : value == 0       ? 0
                           : std::copysign(std::numeric_limits<double>::infinity(), value);
  d.p = student_p_two_sided(d.t, df);
  const double reach = standard_error * student_quantile_two_sided(0.95, df);
  d.low = value - reach, d.high = value + reach;
  return d;
}

Difference paired_t_test(const std::vector<double>& first, const std::vector<double>& second) {
  SIMMIM_CHECK(first.size() == second.size() && first.size() >= 2, "{} and {} values", first.size(), second.size());
  std::vector<double> differences(first.size());
  std::transform(first.begin(), first.end(), second.begin(), differences.begin(), std::minus<>());
  const double n = static_cast<double>(first.size());
  return make_difference(mean(differences), standard_deviation(differences) / std::sqrt(n), n - 1);
}

// With complete data the least-squares estimates are the means: noise = value - cell mean - seed mean + grand mean.
AdditiveModel::AdditiveModel(const std::vector<std::vector<double>>& values) : seeds_(values.at(0).size()) {
  SIMMIM_CHECK(values.size() >= 2 && seeds_ >= 2, "{} cells, {} seeds", values.size(), seeds_);
  std::vector<double> seed_means(seeds_, 0.0);
  for (const std::vector<double>& cell : values) {
    SIMMIM_CHECK(cell.size() == seeds_, "{} seeds, then {}", seeds_, cell.size());
    cell_means_.push_back(mean(cell));
    for (size_t s = 0; s < seeds_; ++s) seed_means[s] += cell[s] / static_cast<double>(values.size());
  }
  const double grand = mean(cell_means_);
  double squares = 0;
  for (size_t c = 0; c < values.size(); ++c)
    for (size_t s = 0; s < seeds_; ++s) {
      const double noise = values[c][s] - cell_means_[c] - seed_means[s] + grand;
      squares += noise * noise;
    }
  df_ = static_cast<double>((values.size() - 1) * (seeds_ - 1));
  deviation_ = std::sqrt(squares / df_);
}

Difference AdditiveModel::difference(size_t cell, size_t baseline) const {
  return make_difference(cell_means_.at(cell) - cell_means_.at(baseline),
                         deviation_ * std::sqrt(2.0 / static_cast<double>(seeds_)), df_);
}

double AdditiveModel::smallest_difference(size_t comparisons) const {
  const double confidence = 1 - 0.05 / static_cast<double>(std::max<size_t>(1, comparisons));
  return deviation_ * std::sqrt(2.0 / static_cast<double>(seeds_)) * student_quantile_two_sided(confidence, df_);
}

std::vector<double> holm(const std::vector<double>& p) {
  std::vector<size_t> order(p.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return p[a] < p[b]; });
  std::vector<double> corrected(p.size());
  double largest = 0;
  for (size_t rank = 0; rank < order.size(); ++rank) {
    largest = std::max(largest, std::min(1.0, p[order[rank]] * static_cast<double>(order.size() - rank)));
    corrected[order[rank]] = largest;
  }
  return corrected;
}

double sampling_error_percent(double accuracy_percent, double images) {
  const double share = std::clamp(accuracy_percent / 100, 0.0, 1.0);
  return 100 * std::sqrt(share * (1 - share) / images);
}

}  // namespace simmim
