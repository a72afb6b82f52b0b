// BEiT's mask: rectangles until enough is hidden (microsoft/unilm beit/masking_generator.py). The paper does not say
// how its smallest rectangle follows the grid; we take a ninth of the cells, at most BEiT's 16.
#pragma once
#include <optional>

#include "masks/mask.h"

namespace simmim {

class BlockwiseMask : public MaskGenerator {
 public:
  struct Options {
    int64_t patch = 8;
    double ratio = 0.6;
    std::optional<int64_t> min_block, max_block;
    double min_aspect = 0.3;
    bool exact = true;
    static void fields(auto& o, auto&& visit) {
      visit("patch", o.patch, "side of a mask cell in pixels", {.min = 1});
      visit("ratio", o.ratio, "share of the cells to hide, rounded up to whole cells", {.min = 0, .max = 1});
      visit(
          "min_block", o.min_block,
          "cells of the smallest rectangle, which may be no more than are hidden; auto: a ninth of the grid, from 1 to "
          "BEiT's 16 (the paper does not say how it follows the grid)",
          {.min = 1});
      visit("max_block", o.max_block, "cells that one rectangle may add; auto: no limit", {.min = 1});
      visit("min_aspect", o.min_aspect, "height to width of a rectangle is from this to its inverse",
            {.min = 0.01, .max = 1});
      visit("exact", o.exact, "fill up with single cells to the exact count; false: stop where BEiT does");
    }
  };

  BlockwiseMask(const Options& options, Grid grid);
  Mask generate(Rng& rng) const override;

 private:
  int64_t add_block(Mask& mask, int64_t remaining, Rng& rng) const;  // cells newly hidden, 0 after ten vain tries

  Options options_;
  int64_t hidden_, min_block_;
};

}  // namespace simmim
