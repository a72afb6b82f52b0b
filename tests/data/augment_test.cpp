#include "data/augment.h"

#include <gtest/gtest.h>

#include "data/resize.h"
#include "data/support.h"

namespace simmim {
namespace {

using testing_data::error_of;
using testing_data::golden;

TEST(RandomResizedCrop, DrawsWhatTorchvisionDrawsFromTheSameNumbers) {
  for (const Json& entry : golden()["crop"]) {
    AugmentOptions options;
    options.crop_scale = entry["scale"].get<std::vector<double>>();
    options.crop_ratio = entry["ratio"].get<std::vector<double>>();
    Rng rng(entry["seed"], "crop", entry["epoch"], entry["index"]);
    const Crop crop = sample_crop(options, entry["h"], entry["w"], rng);
    EXPECT_EQ((std::vector<int64_t>{crop.top, crop.left, crop.h, crop.w}), entry["crop"].get<std::vector<int64_t>>())
        << entry;
    EXPECT_EQ(crop.flip, entry["flip"].get<bool>()) << entry;
  }
}

TEST(RandomResizedCrop, StaysInsideTheImageAndWithinTheScale) {
  const AugmentOptions options;
  for (uint64_t i = 0; i < 2000; ++i) {
    Rng rng(0, "crop", 0, i);
    const Crop crop = sample_crop(options, 90, 120, rng);
    ASSERT_GE(crop.top, 0);
    ASSERT_GE(crop.left, 0);
    ASSERT_LE(crop.top + crop.h, 90);
    ASSERT_LE(crop.left + crop.w, 120);
    const double share = static_cast<double>(crop.h * crop.w) / (90 * 120);
    ASSERT_GE(share, 0.66);
    ASSERT_LE(share, 1.0);
  }
}

TEST(RandomResizedCrop, SurvivesAnImageOfOnePixel) {
  Rng rng(0, "crop");
  const Crop crop = sample_crop({}, 1, 1, rng);
  EXPECT_EQ(crop.h, 1);
  EXPECT_EQ(crop.w, 1);
}

TEST(Flip, HappensWithItsProbability) {
  AugmentOptions options;
  int64_t flips = 0;
  for (uint64_t i = 0; i < 4000; ++i) {
    Rng rng(1, "crop", 0, i);
    flips += sample_crop(options, 32, 32, rng).flip;
  }
  EXPECT_NEAR(static_cast<double>(flips) / 4000, 0.5, 0.03);
  options.flip = 0;
  for (uint64_t i = 0; i < 100; ++i) {
    Rng rng(1, "crop", 0, i);
    EXPECT_FALSE(sample_crop(options, 32, 32, rng).flip);
  }
}

TEST(CentreCrop, EqualsTheOfficialEvaluation) {
  for (const Json& entry : golden()["evaluation"]) {
    const Image image = testing_data::pattern(entry["h"], entry["w"]);
    const int64_t size = entry["size"];
    const CentreCrop crop = centre_crop(image.h, image.w, size, entry["share"]);
    EXPECT_EQ((std::vector<int64_t>{crop.resized_h, crop.resized_w, crop.top, crop.left}),
              entry["box"].get<std::vector<int64_t>>())
        << entry;
    std::vector<uint8_t> out(static_cast<size_t>(3 * size * size));
    Resizer()({image.rgb.data(), image.h, image.w, image.w * 3}, Interpolation::bicubic,
              {.h = crop.resized_h,
               .w = crop.resized_w,
               .top = crop.top,
               .left = crop.left,
               .window_h = size,
               .window_w = size},
              out.data());
    EXPECT_EQ(testing_data::crc(out), entry["crc"].get<int64_t>()) << entry;
  }
}

TEST(AugmentOptions, RefuseAPairThatIsNone) {
  AugmentOptions options;
  options.crop_scale = {0.9, 0.5};
  const auto [code, message] = error_of([&] { check_augment(options, "pretrain.augment"); });
  EXPECT_EQ(code, Code::usage);
  EXPECT_EQ(message, "pretrain.augment.crop_scale: got [0.9, 0.5]; allowed: two numbers, the smaller first");
}

}  // namespace
}  // namespace simmim
