#include "weights/remap.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/error.h"

namespace simmim {
namespace {

int64_t exact_root(int64_t value) {
  if (value < 0) return 0;
  const auto root = static_cast<int64_t>(std::lround(std::sqrt(static_cast<double>(value))));
  return root * root == value ? root : 0;
}

// a (n, n) x = b (n, m), both row-major; b becomes x. Gaussian elimination with row pivoting.
void solve(std::vector<double> a, std::vector<double>& b, size_t n, size_t m) {
  for (size_t k = 0; k < n; ++k) {
    size_t pivot = k;
    for (size_t i = k + 1; i < n; ++i)
      if (std::abs(a[i * n + k]) > std::abs(a[pivot * n + k])) pivot = i;
    std::swap_ranges(&a[k * n], &a[k * n] + n, &a[pivot * n]);
    std::swap_ranges(&b[k * m], &b[k * m] + m, &b[pivot * m]);
    for (size_t i = 0; i < n; ++i) {
      if (i == k) continue;
      const double factor = a[i * n + k] / a[k * n + k];
      for (size_t j = k; j < n; ++j) a[i * n + j] -= factor * a[k * n + j];
      for (size_t j = 0; j < m; ++j) b[i * m + j] -= factor * b[k * m + j];
    }
  }
  for (size_t k = 0; k < n; ++k)
    for (size_t j = 0; j < m; ++j) b[k * m + j] /= a[k * n + k];
}

// The second derivatives of the not-a-knot spline at its n >= 4 points, as weights of the n values: (n, n).
std::vector<double> curvature_weights(const std::vector<double>& x) {
  const size_t n = x.size();
  std::vector<double> a(n * n, 0.0), b(n * n, 0.0);
  const auto h = [&](size_t i) { return x[i + 1] - x[i]; };
  for (size_t i = 1; i + 1 < n; ++i) {  // the slope is continuous at every inner point
    a[i * n + i - 1] = h(i - 1);
    a[i * n + i] = 2 * (h(i - 1) + h(i));
    a[i * n + i + 1] = h(i);
    b[i * n + i - 1] = 6 / h(i - 1);
    b[i * n + i] = -6 / h(i - 1) - 6 / h(i);
    b[i * n + i + 1] = 6 / h(i);
  }
  for (const size_t row : {size_t{0}, n - 1}) {  // the third derivative at the second and the last but one
    const size_t i = row == 0 ? 1 : n - 2;
    a[row * n + i - 1] = h(i);
    a[row * n + i] = -h(i - 1) - h(i);
    a[row * n + i + 1] = h(i - 1);
  }
  solve(std::move(a), b, n, n);
  return b;
}

// values (n, n, N) with both axes taken through the weights w (m, n) -> (m, m, N); all row-major.
std::vector<double> resample(const double* values, const std::vector<double>& w, size_t n, size_t m, size_t N) {
  std::vector<double> columns(n * m * N, 0.0), out(m * m * N, 0.0);  // (n, m, N), (m, m, N)
  for (size_t dy = 0; dy < n; ++dy)
    for (size_t j = 0; j < m; ++j)
      for (size_t dx = 0; dx < n; ++dx)
        for (size_t k = 0; k < N; ++k) columns[(dy * m + j) * N + k] += w[j * n + dx] * values[(dy * n + dx) * N + k];
  for (size_t i = 0; i < m; ++i)
    for (size_t dy = 0; dy < n; ++dy)
      for (size_t k = 0; k < m * N; ++k) out[i * m * N + k] += w[i * n + dy] * columns[dy * m * N + k];
  return out;
}

// Weights (dst, src) of cubic convolution with a = -0.75 between pixel centres, the border's values repeated outwards.
std::vector<double> cubic_weights(int64_t src, int64_t dst) {
  constexpr double a = -0.75;
  const auto near = [](double t) { return ((a + 2) * t - (a + 3)) * t * t + 1; };       // |t| <= 1
  const auto far = [](double t) { return ((a * t - 5 * a) * t + 8 * a) * t - 4 * a; };  // 1 < |t| < 2
  std::vector<double> weights(static_cast<size_t>(dst * src), 0.0);
  for (int64_t i = 0; i < dst; ++i) {
    const double at = (static_cast<double>(i) + 0.5) * static_cast<double>(src) / static_cast<double>(dst) - 0.5;
    const double t = at - std::floor(at);
    const double of[] = {far(1 + t), near(t), near(1 - t), far(2 - t)};
    for (int64_t k = 0; k < 4; ++k) {
      const int64_t from = std::clamp<int64_t>(static_cast<int64_t>(std::floor(at)) - 1 + k, 0, src - 1);
      weights[static_cast<size_t>(i * src + from)] += of[k];
    }
  }
  return weights;
}

}  // namespace

double geometric_ratio(int64_t src, int64_t dst) {
  double left = 1.01, right = 1.5, q = 0;
  const double terms = static_cast<double>(src / 2), reach = static_cast<double>(dst / 2);
  while (right - left > 1e-6) {
    q = (left + right) / 2;
    ((1 - std::pow(q, terms)) / (1 - q) > reach ? right : left) = q;
  }
  return q;
}

std::vector<double> spline_weights(const std::vector<double>& x, const std::vector<double>& at) {
  const size_t n = x.size();
  SIMMIM_CHECK(n > 0, "a spline without points");
  std::vector<double> weights(at.size() * n, 0.0);
  const std::vector<double> curvature = n >= 4 ? curvature_weights(x) : std::vector<double>{};
  for (size_t row = 0; row < at.size(); ++row) {
    double* w = &weights[row * n];
    const double t = std::clamp(at[row], x.front(), x.back());
    if (n < 4) {  // Lagrange
      for (size_t i = 0; i < n; ++i) {
        w[i] = 1;
        for (size_t j = 0; j < n; ++j)
          if (j != i) w[i] *= (t - x[j]) / (x[i] - x[j]);
      }
      continue;
    }
    const auto above = std::upper_bound(x.begin() + 1, x.end() - 1, t);
    const size_t i = static_cast<size_t>(above - x.begin()) - 1;
    const double h = x[i + 1] - x[i], a = (x[i + 1] - t) / h, b = (t - x[i]) / h;
    w[i] += a;
    w[i + 1] += b;
    for (size_t j = 0; j < n; ++j)
      w[j] += ((a * a * a - a) * curvature[i * n + j] + (b * b * b - b) * curvature[(i + 1) * n + j]) * h * h / 6;
  }
  return weights;
}

TableLayout table_layout(int64_t rows) {
  for (const int64_t extra : {0, 3})
    if (const int64_t side = exact_root(rows - extra); side % 2 == 1) return {side, extra};
  return {};
}

std::vector<double> resize_table(const std::vector<double>& table, int64_t heads, TableLayout src, TableLayout dst) {
  SIMMIM_CHECK(src.side % 2 == 1 && dst.side % 2 == 1 && src.extra == dst.extra, "table sides {} and {}", src.side,
               dst.side);
  SIMMIM_CHECK(static_cast<int64_t>(table.size()) == (src.side * src.side + src.extra) * heads, "{} values",
               table.size());
  if (src.side == dst.side) return table;

  // Old points: 0 and +-(1 + q + ... + q^i). New points: whole numbers.
  const double q = geometric_ratio(src.side, dst.side);
  std::vector<double> x = {0.0}, at;
  double position = 0, step = 1;
  for (int64_t i = 0; i < src.side / 2; ++i, step *= q) {
    position += step;
    x.push_back(position);
    x.insert(x.begin(), -position);
  }
  for (int64_t i = -(dst.side / 2); i <= dst.side / 2; ++i) at.push_back(static_cast<double>(i));
  const std::vector<double> w = spline_weights(x, at);

  std::vector<double> out = resample(table.data(), w, static_cast<size_t>(src.side), static_cast<size_t>(dst.side),
                                     static_cast<size_t>(heads));
  out.insert(out.end(), table.begin() + static_cast<std::ptrdiff_t>(src.side * src.side * heads), table.end());
  return out;
}

std::vector<double> resize_positions(const std::vector<double>& positions, int64_t dim, int64_t extra, int64_t src,
                                     int64_t dst) {
  SIMMIM_CHECK(static_cast<int64_t>(positions.size()) == (extra + src * src) * dim, "{} values", positions.size());
  const std::ptrdiff_t kept = extra * dim;
  std::vector<double> out(positions.begin(), positions.begin() + kept);
  const std::vector<double> grid = resample(positions.data() + kept, cubic_weights(src, dst), static_cast<size_t>(src),
                                            static_cast<size_t>(dst), static_cast<size_t>(dim));
  out.insert(out.end(), grid.begin(), grid.end());
  return out;
}

}  // namespace simmim
