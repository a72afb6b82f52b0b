// One square at a random place: the context encoder's centre region, made movable (paper, section 3.2).
#pragma once
#include "masks/mask.h"

namespace simmim {

class SquareMask : public MaskGenerator {
 public:
  struct Options {
    int64_t patch = 8;
    double ratio = 0.6;
    static void fields(auto& o, auto&& visit) {
      visit("patch", o.patch, "side of a mask cell in pixels", {.min = 1});
      visit("ratio", o.ratio, "share of the image to hide; the square with the nearest share is taken",
            {.min = 0, .max = 1});
    }
  };

  SquareMask(const Options& options, Grid grid);
  Mask generate(Rng& rng) const override;  // every place on the grid equally likely
  int64_t side() const { return side_; }   // cells

 private:
  int64_t side_;
};

}  // namespace simmim
