#include "masks/blockwise.h"

#include <algorithm>
#include <cmath>

namespace simmim {

BlockwiseMask::BlockwiseMask(const Options& options, Grid grid)
    : MaskGenerator(grid),
      options_(options),
      hidden_(masked_cells(grid.cells(), options.ratio)),
      min_block_(options.min_block.value_or(std::clamp<int64_t>(grid.cells() / 9, 1, 16))) {}

Mask BlockwiseMask::generate(Rng& rng) const {
  Mask mask(static_cast<size_t>(grid().cells()), 0);
  int64_t remaining = hidden_;
  while (remaining > 0) {
    const int64_t added = add_block(mask, std::min(remaining, options_.max_block.value_or(remaining)), rng);
    if (added == 0) break;
    remaining -= added;
  }
  if (options_.exact) hide_at_random(mask, remaining, rng);
  return mask;
}

int64_t BlockwiseMask::add_block(Mask& mask, int64_t remaining, Rng& rng) const {
  const Grid cells = grid();
  const auto place = [&](int64_t free) { return static_cast<int64_t>(rng.below(static_cast<uint64_t>(free + 1))); };
  for (int attempt = 0; attempt < 10; ++attempt) {
    const double area = rng.uniform(static_cast<double>(min_block_), static_cast<double>(remaining));
    const double bound = std::log(1 / options_.min_aspect), aspect = std::exp(rng.uniform(-bound, bound));
    const auto h = static_cast<int64_t>(std::nearbyint(std::sqrt(area * aspect)));
    const auto w = static_cast<int64_t>(std::nearbyint(std::sqrt(area / aspect)));
    if (h >= cells.h || w >= cells.w) continue;
    const int64_t top = place(cells.h - h), left = place(cells.w - w);
    int64_t fresh = 0;
    for (int64_t row = top; row < top + h; ++row)
      fresh += std::count(mask.begin() + row * cells.w + left, mask.begin() + row * cells.w + left + w, 0);
    if (fresh == 0 || fresh > remaining) continue;
    for (int64_t row = top; row < top + h; ++row) std::fill_n(mask.begin() + row * cells.w + left, w, uint8_t{1});
    return fresh;
  }
  return 0;
}

}  // namespace simmim
