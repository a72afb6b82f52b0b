// The paper's mask: cells of the mask grid hidden at random (microsoft/SimMIM data_simmim.py:21-45).
#pragma once
#include "masks/mask.h"

namespace simmim {

class RandomMask : public MaskGenerator {
 public:
  struct Options {
    int64_t patch = 8;
    double ratio = 0.6;
    static void fields(auto& o, auto&& visit) {
      visit("patch", o.patch, "side of a mask cell in pixels", {.min = 1});
      visit("ratio", o.ratio, "share of the cells to hide, rounded up to whole cells", {.min = 0, .max = 1});
    }
  };

  RandomMask(const Options& options, Grid grid)
      : MaskGenerator(grid), hidden_(masked_cells(grid.cells(), options.ratio)) {}

  // Exactly ceil(cells * ratio) cells, each set of them equally likely.
  Mask generate(Rng& rng) const override;

 private:
  int64_t hidden_;
};

}  // namespace simmim
