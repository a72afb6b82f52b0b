// Mini-batch k-means of points in three dimensions (Sculley, WWW 2010) from k-means++ centres (Arthur and
// Vassilvitskii, SODA 2007). The same points and seed give the same centres, whatever the number of threads.
#pragma once
#include <cstdint>
#include <functional>
#include <vector>

namespace simmim {

struct KMeansOptions {
  int64_t clusters = 512;
  int64_t steps = 500;   // mini-batches
  int64_t batch = 4096;  // points a mini-batch, drawn with replacement
  uint64_t seed = 0;
  std::function<void(int64_t step, int64_t steps)> progress = [](int64_t, int64_t) {};
};

struct KMeans {
  std::vector<float> centers;  // (clusters,3)
  double inertia = 0;          // mean squared distance of a point from its nearest centre
};

// points (n,3). Code::data if too few of them are distinct for so many clusters.
KMeans fit_kmeans(const std::vector<float>& points, const KMeansOptions& options);

}  // namespace simmim
