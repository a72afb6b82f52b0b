#include "masks/distance.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.h"

namespace simmim {
namespace {

constexpr double kFar = std::numeric_limits<double>::infinity();

// Replaces f, the squared distance of each pixel to the nearest visible one in its own column, by the squared distance
// in the plane: the lower envelope of the parabolas f[x'] + (x - x')^2 (Felzenszwalb and Huttenlocher, 2012).
void spread_along_row(std::vector<double>& f) {
  struct Parabola {
    double apex, height, from;  // the lowest one from x = `from` on
  };
  std::vector<Parabola> envelope;
  for (size_t i = 0; i < f.size(); ++i) {
    if (f[i] == kFar) continue;
    Parabola next{static_cast<double>(i), f[i], -kFar};
    for (; !envelope.empty(); envelope.pop_back()) {
      const Parabola& last = envelope.back();
      next.from = ((next.height + next.apex * next.apex) - (last.height + last.apex * last.apex)) /
                  (2 * (next.apex - last.apex));
      if (next.from > last.from) break;
      next.from = -kFar;
    }
    envelope.push_back(next);
  }
  if (envelope.empty()) return;
  size_t lowest = 0;
  for (size_t i = 0; i < f.size(); ++i) {
    const double x = static_cast<double>(i);
    while (lowest + 1 < envelope.size() && envelope[lowest + 1].from <= x) ++lowest;
    const double step = x - envelope[lowest].apex;
    f[i] = envelope[lowest].height + step * step;
  }
}

}  // namespace

double avg_dist(const Mask& mask, Grid grid, int64_t patch) {
  SIMMIM_CHECK(static_cast<int64_t>(mask.size()) == grid.cells(), "a mask of {} cells on {} x {}", mask.size(), grid.h,
               grid.w);
  const int64_t height = grid.h * patch, width = grid.w * patch;
  const auto masked = [&](int64_t y, int64_t x) {
    return mask[static_cast<size_t>(y / patch * grid.w + x / patch)] != 0;
  };

  // Steps to the nearest visible pixel of the column, from above and from below.
  std::vector<std::vector<double>> rows(static_cast<size_t>(height),
                                        std::vector<double>(static_cast<size_t>(width), kFar));
  std::vector<double> steps(static_cast<size_t>(width));
  const auto sweep = [&](int64_t from, int64_t to, int64_t direction) {
    std::fill(steps.begin(), steps.end(), kFar);
    for (int64_t y = from; y != to; y += direction)
      for (int64_t x = 0; x < width; ++x) {
        double& here = steps[static_cast<size_t>(x)];
        double& least = rows[static_cast<size_t>(y)][static_cast<size_t>(x)];
        here = masked(y, x) ? here + 1 : 0;
        least = std::min(least, here);
      }
  };
  sweep(0, height, 1);
  sweep(height - 1, -1, -1);

  double sum = 0;
  int64_t count = 0;
  for (int64_t y = 0; y < height; ++y) {
    std::vector<double>& row = rows[static_cast<size_t>(y)];
    for (double& distance : row) distance *= distance;
    spread_along_row(row);
    for (int64_t x = 0; x < width; ++x) {
      if (!masked(y, x)) continue;
      sum += std::sqrt(row[static_cast<size_t>(x)]);
      ++count;
    }
  }
  return count > 0 && sum != kFar ? sum / static_cast<double>(count) : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace simmim
