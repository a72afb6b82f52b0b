#include "masks/square.h"

#include <algorithm>
#include <cmath>

namespace simmim {

SquareMask::SquareMask(const Options& options, Grid grid) : MaskGenerator(grid), side_(0) {
  const double wanted = options.ratio * static_cast<double>(grid.cells());
  const auto miss = [&](int64_t side) { return std::abs(static_cast<double>(side * side) - wanted); };
  while (side_ < std::min(grid.h, grid.w) && miss(side_ + 1) <= miss(side_)) ++side_;
}

Mask SquareMask::generate(Rng& rng) const {
  Mask mask(static_cast<size_t>(grid().cells()), 0);
  const auto place = [&](int64_t free) { return static_cast<int64_t>(rng.below(static_cast<uint64_t>(free + 1))); };
  const int64_t top = place(grid().h - side_), left = place(grid().w - side_);
  for (int64_t row = top; row < top + side_; ++row)
    std::fill_n(mask.begin() + row * grid().w + left, side_, uint8_t{1});
  return mask;
}

}  // namespace simmim
