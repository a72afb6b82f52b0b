#include "masks/blockwise.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace simmim {

BlockwiseMask::BlockwiseMask(const Options& options, Grid grid)
    : MaskGenerator(grid),
      options_(options),
      hidden_(masked_cells(grid.cells(), options.ratio)),
      min_block_(options.min_block.value_or(std::clamp<int64_t>(grid.cells() / 9, 1, 16))) {
  // Where no rectangle could be placed, all cells would be drawn one by one: a mask of another kind.
  const int64_t limit = std::max<int64_t>(1, std::min(hidden_, (grid.h - 1) * (grid.w - 1)));
  if (options.min_block.value_or(1) > limit)
    fail(Code::usage,
         "mask.min_block: {} is more than a rectangle may have here, where {} of {} x {} cells are hidden; use 1 to {}",
         *options.min_block, hidden_, grid.h, grid.w, limit);
  if (options.min_block && options.max_block.value_or(min_block_) < min_block_)
    fail(Code::usage, "mask.max_block: {} is less than mask.min_block, {}; use {} or more", *options.max_block,
         min_block_, min_block_);
  min_block_ = std::min({min_block_, limit, options.max_block.value_or(limit)});
}

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
