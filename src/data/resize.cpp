#include "data/resize.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "data/resize_kernels.h"

namespace simmim {
namespace {

using resize_kernels::kLanes;
using resize_kernels::kPrecision;

double bilinear(double x) {
  x = std::abs(x);
  return x < 1.0 ? 1.0 - x : 0.0;
}

double bicubic(double x) {  // Pillow's a = -0.5
  constexpr double a = -0.5;
  x = std::abs(x);
  if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1;
  if (x < 2.0) return (((x - 5) * x + 8) * x - 4) * a;
  return 0.0;
}

// precompute_coeffs and normalize_coeffs_8bpc of Resample.c, for outputs begin .. begin+count of `out`.
void compute_weights(int64_t in, int64_t out, int64_t begin, int64_t count, Interpolation interpolation,
                     Resizer::Weights& weights) {
  const auto filter = interpolation == Interpolation::bilinear ? bilinear : bicubic;
  const double scale = static_cast<double>(in) / static_cast<double>(out);
  const double filter_scale = std::max(scale, 1.0);
  const double support = (interpolation == Interpolation::bilinear ? 1.0 : 2.0) * filter_scale;
  const double inverse = 1.0 / filter_scale;
  weights.taps = static_cast<int64_t>(std::ceil(support)) * 2 + 1;
  weights.first.resize(static_cast<size_t>(count));
  weights.count.resize(static_cast<size_t>(count));
  weights.weight.resize(static_cast<size_t>(count * weights.taps));
  std::vector<double> row(static_cast<size_t>(weights.taps));
  for (int64_t i = 0; i < count; ++i) {
    const double centre = (static_cast<double>(begin + i) + 0.5) * scale;
    const int first = std::max(static_cast<int>(centre - support + 0.5), 0);
    const int n = std::min(static_cast<int>(centre + support + 0.5), static_cast<int>(in)) - first;
    double sum = 0;
    for (int k = 0; k < n; ++k) sum += row[static_cast<size_t>(k)] = filter((k + first - centre + 0.5) * inverse);
    int32_t* weight = weights.weight.data() + i * weights.taps;
    for (int k = 0; k < n; ++k) {
      const double w =
          (sum != 0.0 ? row[static_cast<size_t>(k)] / sum : row[static_cast<size_t>(k)]) * (1 << kPrecision);
      weight[k] = static_cast<int32_t>(w < 0 ? w - 0.5 : w + 0.5);
    }
    weights.first[static_cast<size_t>(i)] = first;
    weights.count[static_cast<size_t>(i)] = n;
  }
}

// The pass over an axis whose size does not change is left out by Pillow; this is the same, in the same loop.
void identity_weights(int64_t begin, int64_t count, Resizer::Weights& weights) {
  weights.taps = 1;
  weights.first.resize(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) weights.first[static_cast<size_t>(i)] = static_cast<int32_t>(begin + i);
  weights.count.assign(static_cast<size_t>(count), 1);
  weights.weight.assign(static_cast<size_t>(count), 1 << kPrecision);
}

constexpr int64_t round_up(int64_t n) { return (n + kLanes - 1) / kLanes * kLanes; }

}  // namespace

// Rows row .. row+rows (at most 16) of the view -> the same rows of middle_. The rows are transposed, so that the sum
// over neighbouring pixels becomes a sum over neighbouring groups of 16 bytes, one byte a row.
void Resizer::horizontal(const PixelView& view, const ResizeTarget& target, int64_t row, int64_t rows) {
  const int64_t begin = x_.first.front(), end = x_.first.back() + x_.count.back();
  const int64_t bytes = (end - begin) * 3;
  columns_.resize(static_cast<size_t>(round_up(bytes) * kLanes));  // [column * 3 + channel][row]
  std::array<const uint8_t*, kLanes> lines;
  for (int64_t i = 0; i < kLanes; ++i)  // rows past the end repeat the last; nobody reads their results
    lines[static_cast<size_t>(i)] = view.rgb + (row + std::min(i, rows - 1)) * view.stride + begin * 3;
  int64_t j = 0;
  for (; j + kLanes <= bytes; j += kLanes)
    resize_kernels::transpose_16x16(lines.data(), j, columns_.data() + j * kLanes, kLanes);
  std::array<std::array<uint8_t, kLanes>, kLanes> edge{};
  for (size_t i = 0; i < kLanes; ++i) {  // the last columns, without reading past the end of a row
    std::memcpy(edge[i].data(), lines[i] + j, static_cast<size_t>(bytes - j));
    lines[i] = edge[i].data();
  }
  if (j < bytes) resize_kernels::transpose_16x16(lines.data(), 0, columns_.data() + j * kLanes, kLanes);

  const int64_t width = target.window_w, padded = round_up(width);
  narrowed_.resize(static_cast<size_t>(3 * padded * kLanes));  // [channel][column][row]
  for (int64_t i = 0; i < width; ++i) {
    const int64_t to = target.flip ? width - 1 - i : i;
    const uint8_t* from = columns_.data() + (x_.first[static_cast<size_t>(i)] - begin) * 3 * kLanes;
    resize_kernels::weighted_pixel(from, x_.weight.data() + i * x_.taps, x_.count[static_cast<size_t>(i)],
                                   narrowed_.data() + to * kLanes, padded * kLanes);
  }

  for (size_t i = 0; i < kLanes; ++i) lines[i] = narrowed_.data() + i * kLanes;
  for (int64_t c = 0; c < 3; ++c) {
    uint8_t* to = middle_.data() + (c * middle_rows_ + row - y_.first.front()) * middle_stride_;
    for (int64_t column = 0; column < padded; column += kLanes)
      resize_kernels::transpose_16x16(lines.data(), (c * padded + column) * kLanes, to + column, middle_stride_);
  }
}

void Resizer::operator()(const PixelView& view, Interpolation interpolation, const ResizeTarget& target,
                         uint8_t* planes) {
  SIMMIM_CHECK(
      view.h > 0 && view.w > 0 && target.top >= 0 && target.left >= 0 && target.window_h > 0 && target.window_w > 0 &&
          target.top + target.window_h <= target.h && target.left + target.window_w <= target.w,
      "window {}+{} x {}+{} of {} x {}", target.top, target.window_h, target.left, target.window_w, target.h, target.w);
  if (target.w == view.w)
    identity_weights(target.left, target.window_w, x_);
  else
    compute_weights(view.w, target.w, target.left, target.window_w, interpolation, x_);
  if (target.h == view.h)
    identity_weights(target.top, target.window_h, y_);
  else
    compute_weights(view.h, target.h, target.top, target.window_h, interpolation, y_);

  const int64_t row_begin = y_.first.front(), row_end = y_.first.back() + y_.count.back();
  middle_rows_ = round_up(row_end - row_begin);  // whole groups of 16, so that transposed blocks fit
  middle_stride_ = round_up(target.window_w);
  middle_.resize(static_cast<size_t>(3 * middle_rows_ * middle_stride_));
  for (int64_t row = row_begin; row < row_end; row += kLanes)
    horizontal(view, target, row, std::min(kLanes, row_end - row));

  std::vector<uint8_t>& line = narrowed_;
  line.resize(static_cast<size_t>(std::max<int64_t>(middle_stride_, static_cast<int64_t>(line.size()))));
  for (int64_t c = 0; c < 3; ++c)
    for (int64_t i = 0; i < target.window_h; ++i) {
      const uint8_t* from =
          middle_.data() + (c * middle_rows_ + y_.first[static_cast<size_t>(i)] - row_begin) * middle_stride_;
      uint8_t* out = planes + (c * target.window_h + i) * target.window_w;
      const bool whole = middle_stride_ == target.window_w;
      resize_kernels::weighted_sum(from, middle_stride_, y_.weight.data() + i * y_.taps,
                                   y_.count[static_cast<size_t>(i)], whole ? out : line.data(), middle_stride_);
      if (!whole) std::memcpy(out, line.data(), static_cast<size_t>(target.window_w));
    }
}

Image resize_image(const Image& image, int64_t h, int64_t w, Interpolation interpolation) {
  std::vector<uint8_t> planes(static_cast<size_t>(3 * h * w));
  Resizer()({image.rgb.data(), image.h, image.w, image.w * 3}, interpolation,
            {.h = h, .w = w, .window_h = h, .window_w = w}, planes.data());
  Image out;
  out.resize(h, w);
  for (int64_t i = 0; i < h * w; ++i)
    for (int64_t c = 0; c < 3; ++c)
      out.rgb[static_cast<size_t>(i * 3 + c)] = planes[static_cast<size_t>(c * h * w + i)];
  return out;
}

}  // namespace simmim
