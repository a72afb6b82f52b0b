#include "data/operations.h"

#include <algorithm>

namespace simmim {
namespace {

using Table = std::array<uint8_t, 256>;
using Histogram = std::array<int64_t, 256>;

Histogram histogram(const uint8_t* pixels, int64_t count) {
  Histogram bins{};
  for (int64_t i = 0; i < count; ++i) ++bins[pixels[i]];
  return bins;
}

void look_up(const Table& table, uint8_t* pixels, int64_t count) {
  for (int64_t i = 0; i < count; ++i) pixels[i] = table[pixels[i]];
}

// rule: value (0 to 255) -> value, the same for the three channels.
template <class Rule>
void map_values(const Planes& image, const Rule& rule) {
  Table table;
  for (int v = 0; v < 256; ++v) table[static_cast<size_t>(v)] = static_cast<uint8_t>(rule(v));
  look_up(table, image.data, 3 * image.area());
}

// rule: a channel's histogram -> its table.
template <class Rule>
void map_channels(const Planes& image, const Rule& rule) {
  for (int64_t c = 0; c < 3; ++c)
    look_up(rule(histogram(image.channel(c), image.area())), image.channel(c), image.area());
}

Table identity() {
  Table table;
  for (size_t v = 0; v < 256; ++v) table[v] = static_cast<uint8_t>(v);
  return table;
}

// Convert.c: ITU-R 601-2 in 16 bits after the point.
int grey(int r, int g, int b) { return (r * 19595 + g * 38470 + b * 7471 + 0x8000) >> 16; }

// Blend.c: single precision, cut off, and clipped, which acts only where it extrapolates.
uint8_t blend(int from, int to, float alpha) {
  const float value = static_cast<float>(from) + alpha * static_cast<float>(to - from);
  return static_cast<uint8_t>(std::clamp(value, 0.0f, 255.0f));
}

}  // namespace

void auto_contrast(const Planes& image) {
  map_channels(image, [](const Histogram& bins) {
    int low = 0, high = 255;
    while (low < 255 && bins[static_cast<size_t>(low)] == 0) ++low;
    while (high > 0 && bins[static_cast<size_t>(high)] == 0) --high;
    Table table = identity();
    if (high <= low) return table;
    const double scale = 255.0 / (high - low), offset = -low * scale;
    for (int v = 0; v < 256; ++v)
      table[static_cast<size_t>(v)] = static_cast<uint8_t>(std::clamp(static_cast<int>(v * scale + offset), 0, 255));
    return table;
  });
}

void equalize(const Planes& image) {
  map_channels(image, [&](const Histogram& bins) {
    const int64_t last = *std::find_if(bins.rbegin(), bins.rend(), [](int64_t n) { return n > 0; });
    const int64_t step = (image.area() - last) / 255;
    Table table = identity();
    if (step == 0) return table;
    int64_t below = step / 2;
    for (size_t v = 0; v < 256; ++v) {
      table[v] = static_cast<uint8_t>(std::min<int64_t>(below / step, 255));
      below += bins[v];
    }
    return table;
  });
}

void invert(const Planes& image) {
  map_values(image, [](int v) { return 255 - v; });
}

void posterize(const Planes& image, int bits) {
  map_values(image, [mask = ~((1 << (8 - bits)) - 1)](int v) { return v & mask; });
}

void solarize(const Planes& image, int threshold) {
  map_values(image, [=](int v) { return v < threshold ? v : 255 - v; });
}

void solarize_add(const Planes& image, int add) {
  map_values(image, [=](int v) { return v < 128 ? std::min(255, v + add) : v; });
}

void adjust_brightness(const Planes& image, float factor) {
  map_values(image, [=](int v) { return blend(0, v, factor); });
}

void adjust_contrast(const Planes& image, float factor) {
  const uint8_t *r = image.channel(0), *g = image.channel(1), *b = image.channel(2);
  int64_t sum = 0;
  for (int64_t i = 0; i < image.area(); ++i) sum += grey(r[i], g[i], b[i]);
  const int mean = static_cast<int>(static_cast<double>(sum) / static_cast<double>(image.area()) + 0.5);
  map_values(image, [=](int v) { return blend(mean, v, factor); });
}

void adjust_color(const Planes& image, float factor) {
  uint8_t *r = image.channel(0), *g = image.channel(1), *b = image.channel(2);
  for (int64_t i = 0; i < image.area(); ++i) {
    const int from = grey(r[i], g[i], b[i]);
    r[i] = blend(from, r[i], factor), g[i] = blend(from, g[i], factor), b[i] = blend(from, b[i], factor);
  }
}

void adjust_sharpness(const Planes& image, float factor, Scratch& scratch) {
  if (image.h < 3 || image.w < 3) return;
  constexpr float kSide = 1.0f / 13, kMiddle = 5.0f / 13;
  scratch.assign(image.data, image.data + 3 * image.area());
  for (int64_t c = 0; c < 3; ++c)
    for (int64_t y = 1; y + 1 < image.h; ++y) {
      const uint8_t* in = scratch.data() + c * image.area() + y * image.w;
      const uint8_t *above = in - image.w, *below = in + image.w;
      uint8_t* out = image.channel(c) + y * image.w;
      for (int64_t x = 1; x + 1 < image.w; ++x) {
        const auto row = [x](const uint8_t* pixels, float middle) {
          return static_cast<float>(pixels[x - 1]) * kSide + static_cast<float>(pixels[x]) * middle +
                 static_cast<float>(pixels[x + 1]) * kSide;
        };
        const float smooth = 0.5f + row(below, kSide) + row(in, kMiddle) + row(above, kSide);
        out[x] = blend(static_cast<int>(smooth), in[x], factor);
      }
    }
}

}  // namespace simmim
