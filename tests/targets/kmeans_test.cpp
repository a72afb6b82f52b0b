#include "targets/kmeans.h"

#include <gtest/gtest.h>

#include <set>

#include "core/error.h"
#include "core/rng.h"

namespace simmim {
namespace {

// Points around the corners of a cube of side 2, n a corner, each coordinate N(corner, noise^2).
std::vector<float> cube(int64_t n, double noise) {
  Rng rng(7, "cube");
  std::vector<float> points;
  for (int64_t i = 0; i < 8 * n; ++i)
    for (int axis = 0; axis < 3; ++axis)
      points.push_back(static_cast<float>(((i >> axis & 1) != 0 ? 1 : -1) + noise * rng.normal()));
  return points;
}

TEST(KMeans, FindsTheClustersThatAreThere) {
  const KMeans fitted = fit_kmeans(cube(500, 0.1), {.clusters = 8, .steps = 100, .batch = 256});
  EXPECT_NEAR(fitted.inertia, 3 * 0.01, 0.003);  // the noise that is left
  std::set<int> corners;
  for (size_t k = 0; k < 8; ++k) {
    int corner = 0;
    for (size_t axis = 0; axis < 3; ++axis) {
      const float at = fitted.centers[3 * k + axis];
      EXPECT_NEAR(std::abs(at), 1, 0.03);
      corner |= (at > 0) << axis;
    }
    corners.insert(corner);
  }
  EXPECT_EQ(corners.size(), 8u);
}

TEST(KMeans, MiniBatchesImproveOnTheFirstCentres) {
  const std::vector<float> points = cube(300, 0.6);
  const double first = fit_kmeans(points, {.clusters = 16, .steps = 0}).inertia;
  EXPECT_LT(fit_kmeans(points, {.clusters = 16, .steps = 200, .batch = 512}).inertia, 0.8 * first);
}

TEST(KMeans, DependOnTheSeedAlone) {
  const std::vector<float> points = cube(100, 0.5);
  const auto centers = [&](uint64_t seed) {
    return fit_kmeans(points, {.clusters = 12, .steps = 20, .seed = seed}).centers;
  };
  EXPECT_EQ(centers(1), centers(1));
  EXPECT_NE(centers(1), centers(2));
}

TEST(KMeans, OfFewerDistinctColoursThanClustersAreRefused) {
  std::vector<float> points;
  for (int i = 0; i < 1000; ++i) points.insert(points.end(), 3, static_cast<float>(i % 5));
  try {
    fit_kmeans(points, {.clusters = 6});
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "target.clusters: 6 are more than the 5 distinct colours among the 384 looked at; use at most 5");
  }
  EXPECT_EQ(fit_kmeans(points, {.clusters = 5, .steps = 5}).inertia, 0);
}

}  // namespace
}  // namespace simmim
