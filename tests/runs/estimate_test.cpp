#include "runs/estimate.h"

#include <gtest/gtest.h>

#include <cmath>

#include "runs/database.h"
#include "runs/ingest.h"
#include "runs/sample_runs.h"

namespace simmim {
namespace {

Json stage(const std::string& head = "linear") {
  return {{"kind", "pretrain"},
          {"config",
           {{"device", "auto"},
            {"precision", "f32"},
            {"encoder", {{"dim", 128}}},
            {"head", {{"name", head}}},
            {"data", {{"image_size", 32}}}}},
          {"plan", {{"images", 1000}, {"flops_per_image", 6e6}, {"device", "cpu"}, {"flops", 3e12}, {"gflops", 100}}}};
}
PastRun past() {
  return {.kind = "pretrain",
          .device = "cpu",
          .precision = "f32",
          .model = model_of(stage()["config"]),
          .flops = 3e6,
          .seconds_an_image = 0.02};
}

TEST(Estimate, OfARunLikeAnEarlierOneIsItsTimeAnImage) {
  const Estimate time = estimate_time(stage(), {past()});
  EXPECT_DOUBLE_EQ(time.seconds, 20);
  EXPECT_EQ(time.text("20 s"), "about 20 s, as runs like it took");
}

TEST(Estimate, OfAnotherModelIsScaledByFlopsAnImageAndCalledAGuess) {
  const Estimate time = estimate_time(stage("inverse_swin"), {past()});
  EXPECT_DOUBLE_EQ(time.seconds, 40);
  EXPECT_EQ(time.text("40 s"), "about 40 s, guessed from runs of other models by their FLOPs");
}

TEST(Estimate, WithoutHistoryFollowsFromFlopsAndTheMachinesRate) {
  PastRun elsewhere = past();
  elsewhere.device = "cuda:0";
  const Estimate time = estimate_time(stage(), {elsewhere});
  EXPECT_EQ(time.basis, Basis::products);
  EXPECT_DOUBLE_EQ(time.seconds, 30);  // 3 TFLOP at 100 GFLOP/s
}

TEST(Estimate, TakesNoRunOfAnotherPrecisionForLikeIt) {
  Json slow = stage();
  slow["config"]["precision"] = "bf16";
  EXPECT_EQ(estimate_time(slow, {past()}).basis, Basis::products);
}

TEST(Estimate, SaysThatItKnowsNothing) {
  Json unknown = stage();
  unknown["plan"].erase("gflops");
  const Estimate time = estimate_time(unknown, {});
  EXPECT_TRUE(std::isnan(time.seconds));
  EXPECT_NE(time.text("").find("not known"), std::string::npos);
}

TEST(History, TellsOfAFinishedRunAllItsSecondsAnImageSeen) {
  const TemporaryFolder folder;
  const fs::path out = folder.path, database = out / "simmim.db";
  write_run(out, {.id = "p", .summary = {{"images_seen", 500}, {"flops_per_image", 7e6}, {"images_per_second", 1e9}}});
  ASSERT_EQ(ingest_changes(database, out), "");
  const History history = read_history(open_for_reading(database, out), out);
  ASSERT_EQ(history.size(), 1u);
  const double seconds = read_record(run_path(out, "p"))["attempts"][0]["seconds"];  // with evaluation and saving
  EXPECT_DOUBLE_EQ(history[0].seconds_an_image, seconds / 500);
  EXPECT_EQ(history[0].flops, 7e6);
  EXPECT_EQ(history[0].model, model_of(pretrain_config(0)));
}

}  // namespace
}  // namespace simmim
