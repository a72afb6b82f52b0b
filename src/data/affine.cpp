// Pillow's affine transform (libImaging/Geometry.c): for every output pixel a place in the input, interpolated in
// double precision in Pillow's order of operations.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "data/operations.h"

namespace simmim {
namespace {

// The cubic between b (t=0) and c (t=1) with neighbours a and d.
double cubic(double a, double b, double c, double d, double t) {
  const double p2 = -a + c, p3 = 2 * (a - b) + c - d, p4 = -a + b - c + d;
  return b + t * (p2 + t * (p3 + t * p4));
}

double linear(double a, double b, double t) { return a + (b - a) * t; }

// The `taps` rows or columns around a place of a side of n pixels; beyond the border its last one counts again.
template <int taps>
struct Around {
  double t;  // how far past the first of the middle two, 0 to 1
  int64_t at[taps];
  Around(double place, int64_t n) {
    const double floor = std::floor(place - 0.5);
    t = place - 0.5 - floor;
    for (int k = 0; k < taps; ++k)
      at[k] = std::clamp<int64_t>(static_cast<int64_t>(floor) + k - (taps / 2 - 1), 0, n - 1);
  }
};

// Where t is 0 the cubic is b, to the bit: shears and shifts interpolate along one axis only.
double value_at(const uint8_t* in, int64_t w, const Around<4>& x, const Around<4>& y) {
  const auto across = [&](int k) {
    const uint8_t* row = in + y.at[k] * w;
    return x.t == 0 ? row[x.at[1]] : cubic(row[x.at[0]], row[x.at[1]], row[x.at[2]], row[x.at[3]], x.t);
  };
  return y.t == 0 ? across(1) : cubic(across(0), across(1), across(2), across(3), y.t);
}

double value_at(const uint8_t* in, int64_t w, const Around<2>& x, const Around<2>& y) {
  const uint8_t *above = in + y.at[0] * w, *below = in + y.at[1] * w;
  return linear(linear(above[x.at[0]], above[x.at[1]], x.t), linear(below[x.at[0]], below[x.at[1]], x.t), y.t);
}

template <int taps>
void transform_with(const Planes& image, const Affine& m, const std::array<uint8_t, 3>& fill, Scratch& scratch) {
  scratch.assign(image.data, image.data + 3 * image.area());
  const double width = static_cast<double>(image.w), height = static_cast<double>(image.h);
  for (int64_t row = 0; row < image.h; ++row)
    for (int64_t column = 0; column < image.w; ++column) {
      const double out_x = static_cast<double>(column) + 0.5, out_y = static_cast<double>(row) + 0.5;
      const double in_x = m[0] * out_x + m[1] * out_y + m[2], in_y = m[3] * out_x + m[4] * out_y + m[5];
      const bool outside = in_x < 0 || in_x >= width || in_y < 0 || in_y >= height;
      uint8_t* out = image.data + row * image.w + column;
      if (outside) {
        for (int64_t c = 0; c < 3; ++c) out[c * image.area()] = fill[static_cast<size_t>(c)];
        continue;
      }
      const Around<taps> x(in_x, image.w), y(in_y, image.h);
      for (int64_t c = 0; c < 3; ++c)
        out[c * image.area()] =
            static_cast<uint8_t>(std::clamp(value_at(scratch.data() + c * image.area(), image.w, x, y), 0.0, 255.0));
    }
}

}  // namespace

// Image.py, rotate: entries to 15 decimals.
Affine rotation(double degrees, int64_t h, int64_t w) {
  double turn = std::fmod(degrees, 360.0);
  if (turn < 0) turn += 360;
  const double angle = -(turn * (std::numbers::pi / 180));
  const auto rounded = [](double x) { return std::stod(fmt::format("{:.15f}", x)); };
  const double a = rounded(std::cos(angle)), b = rounded(std::sin(angle)), d = rounded(-std::sin(angle));
  const double x = static_cast<double>(w) / 2, y = static_cast<double>(h) / 2;
  return {a, b, a * -x + b * -y + x, d, a, d * -x + a * -y + y};
}

void transform(const Planes& image, const Affine& matrix, const std::array<uint8_t, 3>& fill,
               Interpolation interpolation, Scratch& scratch) {
  if (interpolation == Interpolation::bicubic)
    transform_with<4>(image, matrix, fill, scratch);
  else
    transform_with<2>(image, matrix, fill, scratch);
}

}  // namespace simmim
