// Target values relative to what surrounds them, so that fine structure counts as much as contrast.
#pragma once
#include "layers/torch.h"

namespace simmim {

// Normalised value = (x - mean) / deviation, with deviation = sqrt(variance + 1e-6).
struct LocalStatistics {
  Tensor mean, deviation;  // (B,1,S,S) or (B,3,S,S)
};

// images (B,3,S,S): of each square of side x side pixels, all channels together, with the unbiased variance
// (facebookresearch/mae models_mae.py:198-207).
LocalStatistics patch_statistics(const Tensor& images, int64_t side);

// images (B,3,S,S): of the side x side pixels around each pixel (side odd), each channel alone, with the unbiased
// variance, not below 0; at the border only pixels of the image count (microsoft/Swin-Transformer models/simmim.py,
// norm_targets).
LocalStatistics window_statistics(const Tensor& images, int64_t side);

}  // namespace simmim
