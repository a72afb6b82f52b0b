#include "targets/kmeans.h"

#include <algorithm>
#include <array>

#include "core/error.h"
#include "core/rng.h"

namespace simmim {
namespace {

constexpr int64_t kFirstPerCluster = 64;  // points a cluster that the first centres are chosen from

using Point = std::array<float, 3>;

Point point_at(const std::vector<float>& points, size_t i) {
  return {points[3 * i], points[3 * i + 1], points[3 * i + 2]};
}

float distance(const Point& a, const Point& b) {
  const float x = a[0] - b[0], y = a[1] - b[1], z = a[2] - b[2];
  return x * x + y * y + z * z;
}

// k-means++: each next centre is a point drawn in proportion to its squared distance from the nearest centre so far.
std::vector<Point> first_centers(const std::vector<Point>& points, int64_t clusters, Rng& rng) {
  std::vector<Point> centers = {points[rng.below(points.size())]};
  std::vector<float> nearest(points.size(), std::numeric_limits<float>::max());
  while (true) {
    double sum = 0;
    for (size_t i = 0; i < points.size(); ++i)
      sum += nearest[i] = std::min(nearest[i], distance(points[i], centers.back()));
    const auto made = static_cast<int64_t>(centers.size());
    if (made == clusters) return centers;
    if (sum == 0)
      fail(Code::data,
           "target.clusters: {} are more than the {} distinct colours among the {} looked at; use at most {}", clusters,
           made, points.size(), made);
    double left = rng.uniform() * sum;
    size_t chosen = 0;
    for (size_t i = 0; i < points.size(); ++i) {
      if (nearest[i] == 0) continue;
      chosen = i;  // the last one with a distance, where rounding leaves something over
      if ((left -= nearest[i]) < 0) break;
    }
    centers.push_back(points[chosen]);
  }
}

struct Nearest {
  size_t center = 0;
  float distance = std::numeric_limits<float>::max();
};

Nearest nearest_center(const std::vector<Point>& centers, const Point& point) {
  Nearest best;
  for (size_t k = 0; k < centers.size(); ++k)
    if (const float d = distance(centers[k], point); d < best.distance) best = {k, d};
  return best;
}

}  // namespace

KMeans fit_kmeans(const std::vector<float>& points, const KMeansOptions& options) {
  const size_t n = points.size() / 3;
  SIMMIM_CHECK(n > 0 && options.clusters > 0, "{} clusters of {} points", options.clusters, n);
  Rng rng(options.seed, "k-means");
  std::vector<int64_t> order = rng.permutation(static_cast<int64_t>(n));
  order.resize(std::min(n, static_cast<size_t>(kFirstPerCluster * options.clusters)));
  std::vector<Point> sample;
  for (const int64_t i : order) sample.push_back(point_at(points, static_cast<size_t>(i)));
  std::vector<Point> centers = first_centers(sample, options.clusters, rng);

  // Each centre is the running mean of the points that came to it.
  std::vector<double> seen(centers.size(), 0);
  std::vector<std::array<double, 4>> sums(centers.size());  // x, y, z, count of this mini-batch
  for (int64_t step = 0; step < options.steps; ++step) {
    std::fill(sums.begin(), sums.end(), std::array<double, 4>{});
    for (int64_t i = 0; i < options.batch; ++i) {
      const Point point = point_at(points, rng.below(n));
      std::array<double, 4>& sum = sums[nearest_center(centers, point).center];
      for (size_t c = 0; c < 3; ++c) sum[c] += point[c];
      ++sum[3];
    }
    for (size_t k = 0; k < centers.size(); ++k) {
      if (sums[k][3] == 0) continue;
      seen[k] += sums[k][3];
      for (size_t c = 0; c < 3; ++c)
        centers[k][c] += static_cast<float>((sums[k][c] - sums[k][3] * centers[k][c]) / seen[k]);
    }
    options.progress(step + 1, options.steps);
  }

  KMeans fitted;
  for (const Point& center : centers) fitted.centers.insert(fitted.centers.end(), center.begin(), center.end());
  for (size_t i = 0; i < n; ++i) fitted.inertia += nearest_center(centers, point_at(points, i)).distance;
  fitted.inertia /= static_cast<double>(n);
  return fitted;
}

}  // namespace simmim
