#include "sweep/stop_rule.h"

#include <gtest/gtest.h>

#include "runs/journal.h"
#include "runs/run_folder.h"
#include "temporary.h"

namespace simmim {
namespace {

class Stopping : public testing::Test {
 protected:
  // A run of 10 epochs whose metric has these values at epochs 1, 2, ...
  void run(const std::string& id, const std::string& metric, const std::vector<double>& values,
           const Json& config = {{"mask", {{"ratio", 0.6}}}}, const std::string& kind = "pretrain") {
    plan_["runs"][id] = {{"id", id}, {"kind", kind}, {"config", config}, {"plan", {{"epochs", 10}}}};
    make_folder(run_path(folder_ / "out", id));
    Journal journal(run_path(folder_ / "out", id) / "metrics.jsonl", 0);
    for (size_t i = 0; i < values.size(); ++i)
      journal.append({{"step", 5 * i + 5}, {"epoch", i + 1}, {"loss", 1}, {metric, values[i]}});
  }
  std::string reason(const std::string& id, const Json& stop_if) {
    plan_["stop_if"] = stop_if;
    return StopRule(plan_, folder_ / "out").reason(id);
  }
  Json median(const std::string& metric, double after = 0.3) {
    return {{"worse_than_median", {{"metric", metric}, {"after", after}}}};
  }
  Temporary folder_;
  Json plan_ = {{"runs", Json::object()}};
};

TEST_F(Stopping, ComparesWithTheMedianOfTheOthersAtTheSameEpoch) {
  run("a", "val.loss", {9, 9, 1, 9});
  run("b", "val.loss", {9, 9, 2});
  run("c", "val.loss", {9, 9, 4, 9});
  run("d", "val.loss", {1, 1, 3});
  EXPECT_EQ(reason("d", median("val.loss")),
            "val.loss of 3 at epoch 3 is worse than 2, the median of 3 comparable runs (stop_if)");
  EXPECT_EQ(reason("b", median("val.loss")), "");
  EXPECT_EQ(reason("d", Json::object()), "");
}

TEST_F(Stopping, OfAnAccuracyIsTheOtherWayRound) {
  for (const auto& [id, value] : {std::pair{"a", 70}, {"b", 80}, {"c", 90}}) run(id, "val.top1", {0, 0, 1.0 * value});
  run("d", "val.top1", {0, 0, 79});
  EXPECT_NE(reason("d", median("val.top1")).find("val.top1 of 79 at epoch 3 is worse than 80"), std::string::npos);
  run("d", "val.top1", {0, 0, 80});
  EXPECT_EQ(reason("d", median("val.top1")), "");
}

TEST_F(Stopping, WaitsForItsTimeAndForEnoughOthersAndLetsTheLastEpochBe) {
  for (const char* id : {"a", "b", "c"}) run(id, "val.loss", std::vector<double>(10, 1.0));
  run("d", "val.loss", {2, 2});
  EXPECT_EQ(reason("d", median("val.loss", 0.3)), "");
  EXPECT_NE(reason("d", median("val.loss", 0.2)), "");
  EXPECT_EQ(reason("d", median("val.loss", 3)), "");
  EXPECT_NE(reason("d", median("val.loss", 2)), "");
  EXPECT_EQ(reason("d", {{"worse_than_median", {{"metric", "val.loss"}, {"after", 2}, {"at_least", 4}}}}), "");
  run("d", "val.loss", std::vector<double>(10, 2.0));
  EXPECT_EQ(reason("d", median("val.loss")), "");
}

TEST_F(Stopping, ComparesOnlyWhatIsComparable) {
  for (const char* id : {"a", "b"}) run(id, "val.loss", {1, 1, 1, 1});
  run("other mask", "val.loss", {1, 1, 1, 1}, {{"mask", {{"ratio", 0.4}}}});
  run("other stage", "val.loss", {1, 1, 1, 1}, {{"mask", {{"ratio", 0.6}}}}, "finetune");
  run("d", "val.loss", {2, 2, 2, 2});
  EXPECT_EQ(reason("d", median("val.loss")), "");
  run("c", "val.loss", {1, 1, 1, 1});
  EXPECT_NE(reason("d", median("val.loss")), "");
}

TEST_F(Stopping, ReadsOnWhereTheJournalGrewAndAnewWhereItWasCut) {
  for (const char* id : {"a", "b", "c"}) run(id, "val.loss", {1, 1, 1, 1});
  run("d", "val.loss", {2});
  plan_["stop_if"] = median("val.loss");
  StopRule rule(plan_, folder_ / "out");
  EXPECT_EQ(rule.reason("d"), "");
  run("d", "val.loss", {2, 2, 2, 2});
  EXPECT_NE(rule.reason("d"), "");
  run("d", "val.loss", {2, 2});
  EXPECT_EQ(rule.reason("d"), "");
}

TEST_F(Stopping, OfWhatIsNotFiniteNamesTheKey) {
  run("a", "val.loss", {1, std::nan("")});
  EXPECT_EQ(reason("a", {{"nan", true}}), "val.loss is not finite (stop_if)");
  EXPECT_EQ(reason("a", {{"nan", false}}), "");
  run("b", "val.loss", {1, 2});
  EXPECT_EQ(reason("b", {{"nan", true}}), "");
}

TEST(StopIf, RefusesWhatItDoesNotKnow) {
  const auto refused = [](const Json& stop_if) { return error_of(Code::usage, [&] { check_stop_if(stop_if); }); };
  EXPECT_NE(refused({{"worse_than_median", {{"metric", "test.top1"}}}}).find("metric: got \"test.top1\""),
            std::string::npos);
  EXPECT_NE(refused({{"worse", 1}}).find("sweep.stop_if.worse: unknown key"), std::string::npos);
  EXPECT_NE(refused({{"worse_than_median", {{"after", -1}}}}).find("after: got -1"), std::string::npos);
}

}  // namespace
}  // namespace simmim
