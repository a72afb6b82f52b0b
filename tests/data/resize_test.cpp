#include "data/resize.h"

#include <gtest/gtest.h>

#include "data/resize_kernels.h"
#include "data/support.h"

namespace simmim {
namespace {

using testing_data::crc;
using testing_data::golden;
using testing_data::pattern;

Interpolation filter_of(const Json& entry) {
  return entry["filter"] == "bicubic" ? Interpolation::bicubic : Interpolation::bilinear;
}

TEST(Resizer, EqualsPillowBitForBit) {
  Resizer resize;  // one for all, so that left-overs of a larger image would show
  for (const Json& entry : golden()["resize"]) {
    const Image image = pattern(entry["h"], entry["w"]);
    const int64_t top = entry["crop"][0], left = entry["crop"][1], out_h = entry["out"][0], out_w = entry["out"][1];
    std::vector<uint8_t> out(static_cast<size_t>(3 * out_h * out_w));
    resize({image.rgb.data() + (top * image.w + left) * 3, entry["crop"][2], entry["crop"][3], image.w * 3},
           filter_of(entry), {.h = out_h, .w = out_w, .window_h = out_h, .window_w = out_w}, out.data());
    EXPECT_EQ(std::vector<uint8_t>(out.begin(), out.begin() + 6), entry["first"].get<std::vector<uint8_t>>()) << entry;
    EXPECT_EQ(crc(out), entry["crc"].get<int64_t>()) << entry;
  }
}

TEST(Resizer, AWindowIsThatPartOfTheWholeAndFlipMirrorsIt) {
  const Image image = pattern(61, 83);
  const PixelView view{image.rgb.data(), image.h, image.w, image.w * 3};
  const int64_t h = 40, w = 70, top = 7, left = 11, part_h = 20, part_w = 33;
  std::vector<uint8_t> whole(3 * h * w), part(3 * part_h * part_w), flipped(part.size());
  Resizer resize;
  resize(view, Interpolation::bicubic, {.h = h, .w = w, .window_h = h, .window_w = w}, whole.data());
  ResizeTarget target{.h = h, .w = w, .top = top, .left = left, .window_h = part_h, .window_w = part_w};
  resize(view, Interpolation::bicubic, target, part.data());
  target.flip = true;
  resize(view, Interpolation::bicubic, target, flipped.data());
  for (int64_t c = 0; c < 3; ++c)
    for (int64_t y = 0; y < part_h; ++y)
      for (int64_t x = 0; x < part_w; ++x) {
        const uint8_t expected = whole[static_cast<size_t>((c * h + top + y) * w + left + x)];
        ASSERT_EQ(part[static_cast<size_t>((c * part_h + y) * part_w + x)], expected) << c << " " << y << " " << x;
        ASSERT_EQ(flipped[static_cast<size_t>((c * part_h + y) * part_w + part_w - 1 - x)], expected);
      }
}

TEST(ResizeKernels, SumExactly) {
  std::vector<uint8_t> in(16 * 40);
  for (size_t i = 0; i < in.size(); ++i) in[i] = static_cast<uint8_t>(i * 37 % 256);
  const std::vector<int32_t> weight = {-300000, 4000000, 900000, -405696, 17};
  std::vector<uint8_t> out(80);
  resize_kernels::weighted_sum(in.data(), 100, weight.data(), 5, out.data(), 80);
  for (size_t j = 0; j < out.size(); ++j) {
    int64_t sum = 1 << 21;
    for (size_t k = 0; k < weight.size(); ++k) sum += int64_t{weight[k]} * in[k * 100 + j];
    EXPECT_EQ(out[j], std::clamp<int64_t>(sum >> 22, 0, 255)) << j;
  }
  std::vector<uint8_t> pixel(3 * 20);
  resize_kernels::weighted_pixel(in.data(), weight.data(), 5, pixel.data(), 20);
  for (size_t c = 0; c < 3; ++c) {
    resize_kernels::weighted_sum(in.data() + 16 * c, 48, weight.data(), 5, out.data(), 16);
    EXPECT_TRUE(std::equal(out.begin(), out.begin() + 16, pixel.begin() + static_cast<int64_t>(20 * c))) << c;
  }
}

TEST(ResizeKernels, TransposeSwapsRowsAndColumns) {
  std::vector<uint8_t> in(260), out(16 * 20);
  for (size_t i = 0; i < in.size(); ++i) in[i] = static_cast<uint8_t>(i);
  const uint8_t* rows[16];
  for (size_t i = 0; i < 16; ++i) rows[i] = in.data() + 16 * i;
  resize_kernels::transpose_16x16(rows, 3, out.data(), 20);
  for (size_t i = 0; i < 16; ++i)
    for (size_t j = 0; j < 16; ++j) EXPECT_EQ(out[j * 20 + i], in[i * 16 + j + 3]);
}

}  // namespace
}  // namespace simmim
