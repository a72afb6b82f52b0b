// Antialiased separable resampling of 8-bit RGB with Pillow's fixed-point arithmetic (Pillow,
// src/libImaging/Resample.c): the result equals Image.crop(...).resize(...) bit for bit, several times as fast.
#pragma once
#include <cstdint>
#include <vector>

#include "data/image.h"

namespace simmim {

enum class Interpolation { bilinear, bicubic };

// A rectangle of interleaved RGB pixels; the resampling filter does not reach outside it.
struct PixelView {
  const uint8_t* rgb;    // its top left pixel
  int64_t h, w, stride;  // stride: bytes from row to row
};

// The whole view is resampled to (h, w); of that, the window (top, left, window_h, window_w) is computed, mirrored left
// to right if `flip`.
struct ResizeTarget {
  int64_t h, w;
  int64_t top = 0, left = 0, window_h, window_w;
  bool flip = false;
};

// Holds the working memory, so that a thread allocates nothing from image to image. One thread at a time.
class Resizer {
 public:
  // planes: (3, window_h, window_w), R G B.
  void operator()(const PixelView& view, Interpolation interpolation, const ResizeTarget& target, uint8_t* planes);

  // Of one axis: output i is the sum over k < count[i] of weight[i * taps + k] * input[first[i] + k], in units of
  // 2^-22.
  struct Weights {
    int64_t taps = 0;
    std::vector<int32_t> first, count, weight;
  };

 private:
  void horizontal(const PixelView& view, const ResizeTarget& target, int64_t row, int64_t rows);

  Weights x_, y_;
  std::vector<uint8_t> columns_, narrowed_;  // 16 rows transposed, before and after the horizontal pass
  std::vector<uint8_t> middle_;              // (3, rows, stride): after the horizontal pass
  int64_t middle_rows_ = 0, middle_stride_ = 0;
};

// The whole image resampled to h x w.
Image resize_image(const Image& image, int64_t h, int64_t w, Interpolation interpolation);

}  // namespace simmim
