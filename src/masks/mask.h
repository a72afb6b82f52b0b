// Which cells of the mask grid are hidden. A variant is one file here and one row in masks.cpp.
#pragma once
#include "core/registry.h"
#include "core/rng.h"
#include "core/shapes.h"

namespace simmim {

class MaskGenerator {
 public:
  explicit MaskGenerator(Grid grid) : grid_(grid) {}
  virtual ~MaskGenerator() = default;

  // One mask, grid().cells() values row by row, 1 = masked; takes all its randomness from rng.
  virtual Mask generate(Rng& rng) const = 0;
  Grid grid() const { return grid_; }

 private:
  Grid grid_;
};

// random, square, blockwise; built on a mask grid (see mask_grid). Every variant has the options `patch` (pixels a side
// of a mask cell) and `ratio` (share of cells to hide).
const Family<MaskGenerator, Grid>& masks();

// The mask grid of an image of image_size x image_size pixels. Refuses (Code::usage, "mask.patch: ...") a mask patch
// that does not divide the image or is no multiple of the encoder's patch, and names the nearest ones that fit.
Grid mask_grid(int64_t image_size, int64_t mask_patch, int64_t encoder_patch);

// ceil(cells * ratio) in IEEE double, as the official code counts (microsoft/SimMIM data_simmim.py:33).
int64_t masked_cells(int64_t cells, double ratio);

// Hides `count` more of the visible cells (all of them if there are fewer), each set of them equally likely.
void hide_at_random(Mask& mask, int64_t count, Rng& rng);

double masked_share(const Mask& mask);  // in [0, 1]; the ratio that was reached

// The mean masked share of a hundred masks: what mask.ratio comes to on the grid.
double masked_share(const MaskGenerator& generator);

// The generator of a pre-training configuration: reads data.image_size, encoder.patch and mask.
std::unique_ptr<MaskGenerator> make_masks(const Json& stage_config);

}  // namespace simmim
