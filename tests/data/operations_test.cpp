#include "data/operations.h"

#include <gtest/gtest.h>

#include <functional>
#include <map>

#include "data/augment_golden.h"

namespace simmim {
namespace {

using testing_data::augment_golden;
using testing_data::planes_of;

constexpr int64_t kHeight = 20, kWidth = 24;
constexpr std::array<uint8_t, 3> kFill = {124, 116, 104};

// timm's names -> what they do with their argument.
void apply(const Json& entry, const Planes& image, Scratch& scratch) {
  const double argument = entry["argument"];
  const auto factor = static_cast<float>(argument);
  const auto move = [&](const Affine& matrix) {
    transform(image, matrix, kFill,
              entry["interpolation"] == "bicubic" ? Interpolation::bicubic : Interpolation::bilinear, scratch);
  };
  const std::map<std::string, std::function<void()>> operations = {
      {"AutoContrast", [&] { auto_contrast(image); }},
      {"Equalize", [&] { equalize(image); }},
      {"Invert", [&] { invert(image); }},
      {"Rotate", [&] { move(rotation(argument, image.h, image.w)); }},
      {"PosterizeIncreasing", [&] { posterize(image, static_cast<int>(argument)); }},
      {"SolarizeIncreasing", [&] { solarize(image, static_cast<int>(argument)); }},
      {"SolarizeAdd", [&] { solarize_add(image, static_cast<int>(argument)); }},
      {"ColorIncreasing", [&] { adjust_color(image, factor); }},
      {"ContrastIncreasing", [&] { adjust_contrast(image, factor); }},
      {"BrightnessIncreasing", [&] { adjust_brightness(image, factor); }},
      {"SharpnessIncreasing", [&] { adjust_sharpness(image, factor, scratch); }},
      {"ShearX",
       [&] {
         move({1, argument, 0, 0, 1, 0});
       }},
      {"ShearY",
       [&] {
         move({1, 0, 0, argument, 1, 0});
       }},
      {"TranslateXRel",
       [&] {
         move({1, 0, argument * static_cast<double>(image.w), 0, 1, 0});
       }},
      {"TranslateYRel",
       [&] {
         move({1, 0, 0, 0, 1, argument * static_cast<double>(image.h)});
       }},
  };
  operations.at(entry["op"])();
}

TEST(Operations, EqualPillowsToTheBit) {
  const Image sheet = decode_image_file(testing_data::kFolder / "images" / "operations.png");
  ASSERT_EQ(sheet.w, kWidth);
  std::vector<uint8_t> input;
  Scratch scratch;
  int64_t top = 0;
  std::map<std::string, int> tested;
  for (const Json& entry : augment_golden()["operations"]) {
    const std::vector<uint8_t> expected = planes_of(sheet, top, kHeight);
    top += kHeight;
    if (entry.contains("image")) {
      input = expected;
      continue;
    }
    std::vector<uint8_t> out = input;
    apply(entry, {out.data(), kHeight, kWidth}, scratch);
    int64_t wrong = 0;
    for (size_t i = 0; i < out.size(); ++i) wrong += out[i] != expected[i];
    EXPECT_EQ(wrong, 0) << entry;
    ++tested[entry["op"]];
  }
  EXPECT_EQ(top, sheet.h);
  EXPECT_EQ(tested.size(), 15u);
}

TEST(Operations, SurviveAnImageOfOnePixel) {
  Scratch scratch;
  for (const Json& entry : augment_golden()["operations"]) {
    if (entry.contains("image")) continue;
    std::vector<uint8_t> pixel = {10, 200, 30};
    apply(entry, {pixel.data(), 1, 1}, scratch);
  }
}

TEST(Rotation, TurnsCounterClockwiseAroundTheCentre) {
  std::vector<uint8_t> image(3 * 5 * 5);
  for (size_t c = 0; c < 3; ++c) image[c * 25 + 2 * 5 + 4] = 255;  // right of the centre
  Scratch scratch;
  transform({image.data(), 5, 5}, rotation(90, 5, 5), {}, Interpolation::bicubic, scratch);
  for (size_t i = 0; i < 25; ++i) EXPECT_EQ(image[i], i == 2 ? 255 : 0) << i;  // above it
}

}  // namespace
}  // namespace simmim
