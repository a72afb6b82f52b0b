// Pillow's image operations, to the bit, on the planes that the loader fills: what RandAugment and colour jitter are
// made of. Sources: Pillow's ImageOps.py and ImageEnhance.py, libImaging/Blend.c, Filter.c, Convert.c and Geometry.c.
#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include "data/resize.h"

namespace simmim {

// An image as (3,h,w) bytes, R G B; the operations change it in place.
struct Planes {
  uint8_t* data;
  int64_t h, w;
  int64_t area() const { return h * w; }
  uint8_t* channel(int64_t c) const { return data + c * area(); }
};

// Working memory of the operations that look at neighbours; reused from image to image.
using Scratch = std::vector<uint8_t>;

// By a table of 256 values a channel.
void auto_contrast(const Planes& image);                    // each channel's range becomes 0..255
void equalize(const Planes& image);                         // each channel's histogram becomes flat
void invert(const Planes& image);                           // 255 - v
void posterize(const Planes& image, int bits);              // keeps the upper `bits` of 8
void solarize(const Planes& image, int threshold);          // 255 - v from the threshold (0 to 256) on
void solarize_add(const Planes& image, int add);            // v + add, at most 255, where v < 128
void adjust_brightness(const Planes& image, float factor);  // from black (0) past the image (1)
void adjust_contrast(const Planes& image, float factor);    // from the mean of the grey image past the image

// By pixel: from the grey image, from the smoothed image (3 x 3; the border stays), past the image itself.
void adjust_color(const Planes& image, float factor);
void adjust_sharpness(const Planes& image, float factor, Scratch& scratch);

// Where an output pixel (x, y) comes from: (a x + b y + c, d x + e y + f), pixels' centres at one half.
using Affine = std::array<double, 6>;

// Counter-clockwise by `degrees` around the centre.
Affine rotation(double degrees, int64_t h, int64_t w);

// out(x, y) = image(matrix (x, y)); `fill` (R G B) where that is outside.
void transform(const Planes& image, const Affine& matrix, const std::array<uint8_t, 3>& fill,
               Interpolation interpolation, Scratch& scratch);

}  // namespace simmim
