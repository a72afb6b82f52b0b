#include "data/perturb.h"

#include <gtest/gtest.h>

#include "data/augment_golden.h"

namespace simmim {
namespace {

using testing_data::augment_golden;
using testing_data::error_of;

TEST(ColorJitter, MakesWhatPillowMakesOfTheSameDraws) {
  const std::vector<uint8_t> input = testing_data::planes_of(testing_data::pattern(20, 24));
  for (const Json& entry : augment_golden()["jitter"]) {
    std::vector<uint8_t> image = input;
    Rng rng(7, "color jitter", 3, entry["index"]);
    color_jitter(entry["amount"], {image.data(), 20, 24}, rng);
    EXPECT_EQ(testing_data::crc(image), entry["crc"].get<int64_t>()) << entry;
  }
}

TEST(Erasing, DrawsWhatTimmDrawsFromTheSameNumbers) {
  size_t boxes = 0;
  for (const Json& entry : augment_golden()["erasing"]) {
    const PerturbOptions options{
        .erasing = 0.6, .erasing_mode = entry["mode"], .erasing_count = entry["count"].get<int64_t>()};
    Rng rng(7, "erasing", 3, entry["index"]);
    const std::vector<Erasure> erasures = draw_erasures(options, 40, 48, rng);
    ASSERT_EQ(erasures.size(), entry["boxes"].size()) << entry;
    for (size_t i = 0; i < erasures.size(); ++i, ++boxes) {
      const Erasure& erased = erasures[i];
      const Json& box = entry["boxes"][i];  // top, left, h, w, sum of the values
      EXPECT_EQ(erased.top, box[0]) << entry;
      EXPECT_EQ(erased.left, box[1]) << entry;
      EXPECT_EQ(erased.h, box[2]) << entry;
      EXPECT_EQ(erased.w, box[3]) << entry;
      EXPECT_EQ(erased.values.size(), static_cast<size_t>(entry["mode"] == "pixel" ? 3 * erased.h * erased.w : 3));
      double sum = 0;
      for (const float value : erased.values) sum += value;
      EXPECT_NEAR(sum, box[4].get<double>(), 1e-4) << entry;
    }
  }
  EXPECT_GT(boxes, 20u);
}

TEST(Fill, IsTheMeanInWholeLevels) {
  EXPECT_EQ(fill_of({0.485, 0.456, 0.406}), (std::array<uint8_t, 3>{124, 116, 104}));
  EXPECT_EQ(fill_of({0, 1, 1.2}), (std::array<uint8_t, 3>{0, 255, 255}));
}

TEST(PerturbOptions, AreCheckedWithTheirPath) {
  const auto message = [](const PerturbOptions& options) {
    return error_of([&] { check_perturb(options, "finetune.augment"); }).second;
  };
  EXPECT_EQ(message({}), "no error");
  EXPECT_EQ(message({.randaugment = "rand-m9-mstd0.5-inc1"}), "no error");
  EXPECT_TRUE(message({.randaugment = "auto"}).starts_with("finetune.augment.randaugment: got 'auto'; allowed: rand"));
  EXPECT_EQ(message({.erasing_area = {0.5, 0.2}}),
            "finetune.augment.erasing_area: got [0.5, 0.2]; allowed: two numbers, the smaller first");
  EXPECT_EQ(message({.erasing_aspect = {1}}),
            "finetune.augment.erasing_aspect: got [1]; allowed: two numbers, the smaller first");
}

}  // namespace
}  // namespace simmim
