// Plain structs that masks, encoders, heads, targets and losses share, so that they need not know each other.
#pragma once
#include <cstdint>
#include <vector>

namespace simmim {

// A grid of h x w cells.
struct Grid {
  int64_t h = 0, w = 0;
  int64_t cells() const { return h * w; }
  bool operator==(const Grid&) const = default;
};

// What an encoder yields: (B, channels, side, side).
struct FeatureShape {
  int64_t channels = 0;
  int64_t stride = 0;  // pixels a feature cell covers, per axis
  int64_t side = 0;    // cells a side: image/stride
};

// What a target asks of the head, for each feature cell: `side` x `side` values of `channels` each, so that the
// prediction is (B, channels, h*side, w*side).
struct PredictionShape {
  int64_t channels = 0;
  int64_t side = 0;
};

// A mask of one image on its mask grid, row by row; 1 = masked.
using Mask = std::vector<uint8_t>;

}  // namespace simmim
