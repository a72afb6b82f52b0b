// The table of masks, and what all of them share.
#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "masks/blockwise.h"
#include "masks/mask.h"
#include "masks/random.h"
#include "masks/square.h"

namespace simmim {

const Family<MaskGenerator, Grid>& masks() {
  static const Family<MaskGenerator, Grid> rows = {
      variant<RandomMask, MaskGenerator, Grid>("random", "single cells at random, the paper's choice"),
      variant<SquareMask, MaskGenerator, Grid>("square", "one square at a random place"),
      variant<BlockwiseMask, MaskGenerator, Grid>("blockwise", "random rectangles, as in BEiT"),
  };
  return rows;
}

Grid mask_grid(int64_t image_size, int64_t mask_patch, int64_t encoder_patch) {
  if (mask_patch > 0 && image_size % mask_patch == 0 && mask_patch % encoder_patch == 0)
    return {image_size / mask_patch, image_size / mask_patch};
  std::vector<int64_t> fitting;
  for (int64_t patch = encoder_patch; patch <= image_size; patch += encoder_patch)
    if (image_size % patch == 0) fitting.push_back(patch);
  if (fitting.empty())
    fail(Code::usage,
         "mask.patch: no mask patch fits, because the encoder's patch {} does not divide image {}; change "
         "encoder.patch or data.image_size",
         encoder_patch, image_size);
  std::stable_sort(fitting.begin(), fitting.end(),
                   [&](int64_t a, int64_t b) { return std::abs(a - mask_patch) < std::abs(b - mask_patch); });
  fitting.resize(std::min<size_t>(fitting.size(), 3));
  std::sort(fitting.begin(), fitting.end());
  std::vector<std::string> names;
  for (const int64_t patch : fitting) names.push_back(std::to_string(patch));
  if (mask_patch <= 0 || image_size % mask_patch != 0)
    fail(Code::usage, "mask.patch: {} does not divide image {}; use {}", mask_patch, image_size, one_of(names));
  fail(Code::usage, "mask.patch: {} is no multiple of the encoder's patch {}; use {}", mask_patch, encoder_patch,
       one_of(names));
}

int64_t masked_cells(int64_t cells, double ratio) {
  return static_cast<int64_t>(std::ceil(static_cast<double>(cells) * ratio));
}

void hide_at_random(Mask& mask, int64_t count, Rng& rng) {
  std::vector<size_t> visible;
  for (size_t cell = 0; cell < mask.size(); ++cell)
    if (mask[cell] == 0) visible.push_back(cell);
  for (; count > 0 && !visible.empty(); --count) {
    std::swap(visible[rng.below(visible.size())], visible.back());
    mask[visible.back()] = 1;
    visible.pop_back();
  }
}

double masked_share(const MaskGenerator& generator) {
  constexpr int64_t kMasks = 100;
  int64_t masked = 0;
  for (int64_t i = 0; i < kMasks; ++i) {
    Rng rng(0, "masked share", 0, static_cast<uint64_t>(i));
    const Mask mask = generator.generate(rng);
    masked += std::count(mask.begin(), mask.end(), 1);
  }
  return static_cast<double>(masked) / static_cast<double>(kMasks * generator.grid().cells());
}

std::unique_ptr<MaskGenerator> make_masks(const Json& config) {
  const Json& block = config.at("mask");
  const Grid grid = mask_grid(config.at("data").at("image_size"), block.at("patch"), config.at("encoder").at("patch"));
  return find_variant(masks(), block, "mask").make(block, grid);
}

double masked_share(const Mask& mask) {
  return static_cast<double>(std::count(mask.begin(), mask.end(), 1)) / static_cast<double>(mask.size());
}

}  // namespace simmim
