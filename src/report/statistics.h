// The statistics of the comparison tables: small, own, tested against published values. (Boost.Math would bring 130 MB
// of headers for two functions.)
#pragma once
#include <optional>
#include <vector>

namespace simmim {

double mean(const std::vector<double>& values);                // NaN for none
double standard_deviation(const std::vector<double>& values);  // divides by n - 1; NaN for fewer than two

// I_x(a, b), the regularised incomplete beta function; a, b > 0, x in [0, 1].
double incomplete_beta(double a, double b, double x);

// P(|T| >= |t|) of Student's t with `df` degrees of freedom, df > 0.
double student_p_two_sided(double t, double df);
// The t with P(|T| <= t) = `confidence`, for example 0.95.
double student_quantile_two_sided(double confidence, double df);

// A difference of means with what it is compared to.
struct Difference {
  double value = 0;  // first minus second
  double standard_error = 0;
  double df = 0;
  double t = 0, p = 1;       // two-sided, uncorrected
  double low = 0, high = 0;  // 95 % interval
};
Difference make_difference(double value, double standard_error, double df);

// The paired t-test over pairs of equal length >= 2.
Difference paired_t_test(const std::vector<double>& first, const std::vector<double>& second);

// value[cell][seed] = mean + cell effect + seed effect + noise, least squares over all entries there are. Every row has
// at least one entry and the entries hang together (every complete cell has all seeds, so that is given). Seeds are
// blocks: what a seed does to all cells alike (order of images, label subset) leaves the noise.
class AdditiveModel {
 public:
  explicit AdditiveModel(const std::vector<std::vector<double>>& values);  // complete: cells x seeds, both >= 2
  double residual_df() const { return df_; }
  double residual_deviation() const { return deviation_; }  // of one value, noise only
  Difference difference(size_t cell, size_t baseline) const;
  // The smallest difference between two cells whose 95 % interval excludes 0, for one comparison (Holm's correction of
  // several asks for more: pass their number for Bonferroni's bound).
  double smallest_difference(size_t comparisons = 1) const;

 private:
  std::vector<double> cell_means_;
  size_t seeds_ = 0;
  double df_ = 0, deviation_ = 0;
};

// Holm's step-down correction; same order as given.
std::vector<double> holm(const std::vector<double>& p);

// The standard error of an accuracy in percent that was measured on `images` test images.
double sampling_error_percent(double accuracy_percent, double images);

}  // namespace simmim
