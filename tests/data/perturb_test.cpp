#include "data/perturb.h"

#include <gtest/gtest.h>

#include "data/augment_golden.h"

namespace simmim {
namespace {

using testing_data::error_of;

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
