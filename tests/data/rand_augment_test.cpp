#include "data/rand_augment.h"

#include <gtest/gtest.h>

#include "data/augment_golden.h"

namespace simmim {
namespace {

using testing_data::error_of;

TEST(RandAugment, ReadsTheOfficialPolicyAndEveryKey) {
  const RandAugment official = RandAugment::parse("rand-m9-mstd0.5-inc1", "policy");
  EXPECT_EQ(official.magnitude, 9);
  EXPECT_EQ(official.operations, 2);
  EXPECT_EQ(official.probability, 0.5);
  EXPECT_EQ(official.magnitude_std, 0.5);
  EXPECT_TRUE(official.increasing);
  const RandAugment other = RandAugment::parse("rand-p0.8-inc0-n3", "policy");
  EXPECT_EQ(other.magnitude, 10);
  EXPECT_EQ(other.operations, 3);
  EXPECT_EQ(other.probability, 0.8);
  EXPECT_EQ(other.magnitude_std, 0);
  EXPECT_FALSE(other.increasing);
}

TEST(RandAugment, ActsWithItsProbability) {
  const std::vector<uint8_t> input = testing_data::planes_of(testing_data::pattern(8, 8));
  Scratch scratch;
  const auto changed = [&](const char* policy) {
    int count = 0;
    for (uint64_t i = 0; i < 600; ++i) {
      Rng rng(1, "test", i);
      std::vector<uint8_t> image = input;
      rand_augment(RandAugment::parse(policy, "policy"), {}, {image.data(), 8, 8}, rng, scratch);
      count += image != input;
    }
    return count / 600.0;
  };
  EXPECT_EQ(changed("rand-m9-p0-inc1"), 0);
  const double always = changed("rand-m9-n1-p1-inc1");  // below 1: some operations leave some images as they are
  EXPECT_GT(always, 0.7);
  EXPECT_NEAR(changed("rand-m9-n1-p0.25-inc1"), 0.25 * always, 0.05);
}

TEST(RandAugment, RefusesWhatIsNoPolicy) {
  for (const char* text : {"rnd-m9", "rand-m9.5", "rand-n0", "rand-n16", "rand-p1.5", "rand-inc2", "rand-x1", "rand-m",
                           "rand-mstd-0.5", "rand-", "m9", "rand-m9x"}) {
    const auto [code, message] = error_of([&] { RandAugment::parse(text, "finetune.augment.randaugment"); });
    EXPECT_EQ(code, Code::usage) << text;
    EXPECT_TRUE(message.starts_with(fmt::format("finetune.augment.randaugment: got '{}'; allowed: rand with m", text)))
        << message;
  }
}

}  // namespace
}  // namespace simmim
