// Reference values of the augmentations, made by scripts/golden/augment.py, and images as planes.
#pragma once
#include "data/operations.h"
#include "data/support.h"

namespace simmim::testing_data {

inline const Json& augment_golden() {
  static const Json values = read_json_file(kFolder.parent_path() / "golden/augment.json");
  return values;
}

// (3,h,w) of rows [top, top + h) of an image.
inline std::vector<uint8_t> planes_of(const Image& image, int64_t top, int64_t h) {
  std::vector<uint8_t> out(static_cast<size_t>(3 * h * image.w));
  for (int64_t c = 0; c < 3; ++c)
    for (int64_t i = 0; i < h * image.w; ++i)
      out[static_cast<size_t>(c * h * image.w + i)] = image.rgb[static_cast<size_t>((top * image.w + i) * 3 + c)];
  return out;
}
inline std::vector<uint8_t> planes_of(const Image& image) { return planes_of(image, 0, image.h); }

}  // namespace simmim::testing_data
