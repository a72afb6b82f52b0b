#include "sweep/estimate.h"

#include <gtest/gtest.h>

#include <cmath>

namespace simmim {
namespace {

Json stage(int64_t dim = 128) {
  return {{"kind", "pretrain"},
          {"config",
           {{"device", "auto"}, {"precision", "f32"}, {"encoder", {{"dim", dim}}}, {"data", {{"image_size", 32}}}}},
          {"plan", {{"images", 1000}, {"parameters", 2000}, {"device", "cpu"}, {"flops", 3e12}, {"gflops", 100}}}};
}
PastRun past(int64_t dim = 128) {
  return {.kind = "pretrain",
          .device = "cpu",
          .encoder = canonical(Json{{"dim", dim}}),
          .precision = "f32",
          .image_size = 32,
          .parameters = 1000,
          .images_per_second = 50};
}

TEST(Estimate, OfARunLikeAnEarlierOneIsItsSpeed) {
  const Estimate time = estimate_time(stage(), {past()});
  EXPECT_TRUE(time.measured);
  EXPECT_DOUBLE_EQ(time.seconds, 20);
  EXPECT_EQ(time.text("20 s"), "about 20 s, as runs like it took");
}

TEST(Estimate, OfAnotherEncoderIsScaledByParameters) {
  EXPECT_DOUBLE_EQ(estimate_time(stage(256), {past()}).seconds, 40);
}

TEST(Estimate, WithoutHistoryFollowsFromFlopsAndTheMachinesRate) {
  PastRun elsewhere = past();
  elsewhere.device = "cuda:0";
  const Estimate time = estimate_time(stage(), {elsewhere});
  EXPECT_FALSE(time.measured);
  EXPECT_DOUBLE_EQ(time.seconds, 30);  // 3 TFLOP at 100 GFLOP/s
}

TEST(Estimate, TakesNoRunOfAnotherPrecisionForLikeIt) {
  Json slow = stage();
  slow["config"]["precision"] = "bf16";
  EXPECT_FALSE(estimate_time(slow, {past()}).measured);
}

TEST(Estimate, SaysThatItKnowsNothing) {
  Json unknown = stage();
  unknown["plan"].erase("gflops");
  const Estimate time = estimate_time(unknown, {});
  EXPECT_TRUE(std::isnan(time.seconds));
  EXPECT_NE(time.text("").find("not known"), std::string::npos);
}

TEST(LongestFirst, PutsWhatMostWorkHangsOnFirstAndParentsBeforeTheirChildren) {
  Json plan = {{"runs", Json::object()}};
  const auto add = [&](const std::string& id, const std::string& parent, int images) {
    plan["runs"][id] = {{"id", id}, {"parent", parent.empty() ? Json() : Json(parent)}, {"plan", {{"images", images}}}};
  };
  add("short", "", 10);
  add("short child", "short", 5);
  add("shared", "", 10);
  for (const char* child : {"x", "y"}) add(child, "shared", 5);
  add("long", "", 100);
  EXPECT_EQ(longest_first(plan, {"short", "short child", "shared", "x", "y", "long"}),
            (std::vector<std::string>{"long", "shared", "short", "short child", "x", "y"}));
}

}  // namespace
}  // namespace simmim
