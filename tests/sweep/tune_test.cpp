#include "sweep/tune.h"

#include <gtest/gtest.h>

#include "runs/run_folder.h"
#include "sweep/stand_in.h"
#include "temporary.h"

namespace simmim {
namespace {

// Two masks, two rates to try on seed 100.
class Tune : public testing::Test {
 protected:
  Tune() : sweep_(sweep_of({cell({{"mask.patch", 4}}), cell({{"mask.patch", 8}})}, {0, 1})) {
    sweep_.tuning = read_tuning({{"finetune.lr", {1, 2, 3}}, {"by", "finetune.val.top1"}, {"seeds", {100}}}, sweep_);
    tried_ = resolve_cells(tuning_sweep(sweep_, {}), {}, resolve);
  }

  // Ends the fine-tuning of a cell and value, and its pre-training.
  void end(size_t cell, size_t value, const Json& top1, const std::string& state = "done") {
    for (const Json& run : tried_["cells"][cell * 3 + value]["chains"][0]["runs"]) {
      auto folder = RunFolder::claim(folder_ / "out", run["id"]);
      folder->begin_attempt(run["stage"], "", 100, Json::object());
      folder->update_summary(run["stage"] == "finetune" ? Json{{"val_top1", top1}} : Json::object());
      folder->end_attempt(run["stage"] == "finetune" ? state : "done");
    }
  }
  Untuned choose() { return apply_tuning(sweep_, tried_, folder_ / "out"); }

  Temporary folder_;
  SweepFile sweep_;
  Json tried_;
};

TEST_F(Tune, TriesEveryValueInEveryCellOnItsOwnSeedsAsASweepOfItsOwn) {
  const SweepFile trial = tuning_sweep(sweep_, {});
  EXPECT_EQ(trial.name, "t-tune");
  EXPECT_EQ(trial.seeds, std::vector<int64_t>{100});
  EXPECT_EQ(trial.axes, (std::vector<std::string>{"mask.patch", "finetune.lr"}));
  ASSERT_EQ(trial.cells.size(), 6u);
  EXPECT_EQ(trial.cells[1].name, "mask.patch=4 finetune.lr=2");
  const Json plan = make_plan(trial, {}, resolve);
  EXPECT_EQ(plan["runs"].size(), 2u + 6u);  // the values share a cell's pre-training
}

TEST_F(Tune, SetsEachCellToItsBestAndSaysFromWhichRuns) {
  for (const size_t value : {0, 1, 2}) {
    end(0, value, 80 + static_cast<int>(value));
    end(1, value, 80 - static_cast<int>(value));
  }
  EXPECT_TRUE(choose().untried.empty());
  const Json plan = make_plan(sweep_, {}, resolve);
  EXPECT_EQ(plan["cells"][0]["set"]["finetune.lr"], 3);
  EXPECT_EQ(plan["cells"][1]["set"]["finetune.lr"], 1);
  const Json& tuned = plan["cells"][0]["tuned"];
  EXPECT_EQ(tuned["by"], "finetune.val.top1");
  EXPECT_EQ(tuned["candidates"].size(), 3u);
  EXPECT_EQ(tuned["candidates"][2]["value"], 82.0);
  EXPECT_EQ(tuned["candidates"][2]["runs"][0], tried_["cells"][2]["chains"][0]["runs"][1]["id"]);
  EXPECT_EQ(plan["cells"][0]["cell"], "mask.patch=4");
  EXPECT_EQ(plan["cells"][0]["values"]["finetune.lr"], 3);
}

TEST_F(Tune, OfALossIsTheSmallest) {
  sweep_.tuning->metric = "val.loss";
  for (size_t value = 0; value < 3; ++value) {
    end(0, value, 80);
    auto folder = RunFolder::claim(folder_ / "out", tried_["cells"][value]["chains"][0]["runs"][1]["id"]);
    folder->update_summary({{"val_loss", value == 1 ? 0.1 : 0.5}});
  }
  choose();
  ASSERT_EQ(sweep_.cells.size(), 1u);
  EXPECT_EQ(sweep_.cells[0].set["finetune.lr"], 2);
}

TEST_F(Tune, KeepsTheFirstOfEqualValues) {
  for (size_t value = 0; value < 3; ++value) end(0, value, 80);
  choose();
  EXPECT_EQ(sweep_.cells[0].set["finetune.lr"], 1);
}

TEST_F(Tune, LosesAValueWhoseRunFailedOrWasStopped) {
  end(0, 0, 90, "failed");
  end(0, 1, 70);
  end(0, 2, 80, "stopped");
  choose();
  EXPECT_EQ(sweep_.cells[0].set["finetune.lr"], 2);
  EXPECT_TRUE(sweep_.cells[0].tuned["candidates"][0]["value"].is_null());
}

TEST_F(Tune, LeavesOutCellsThatAreNotTriedToTheEndOrHaveNoGoodValue) {
  for (size_t value = 0; value < 3; ++value) end(0, value, 80, "failed");
  end(1, 0, 80);
  const Untuned untuned = choose();
  EXPECT_EQ(untuned.failed, std::vector<std::string>{"mask.patch=4"});
  EXPECT_EQ(untuned.untried, std::vector<std::string>{"mask.patch=8"});
  EXPECT_TRUE(sweep_.cells.empty());
}

TEST_F(Tune, LeavesACellAloneToWhichTheValuesMakeNoDifference) {
  sweep_.cells[0].set["finetune.from"] = "scratch";
  sweep_.tuning = read_tuning({{"mask.ratio", {0.4, 0.6}}}, sweep_);
  tried_ = resolve_cells(tuning_sweep(sweep_, {}), {}, resolve);
  const std::string run = tried_["cells"][0]["chains"][0]["runs"][0]["id"];
  auto folder = RunFolder::claim(folder_ / "out", run);
  folder->update_summary({{"val_top1", 50}});
  folder->end_attempt("done");
  choose();
  ASSERT_EQ(sweep_.cells.size(), 1u);
  EXPECT_TRUE(sweep_.cells[0].tuned.is_null());
  EXPECT_FALSE(sweep_.cells[0].set.contains("mask.ratio"));
}

TEST_F(Tune, RefusesWhatCannotBeTuned) {
  const auto refused = [&](const Json& tune) { return error_of(Code::usage, [&] { read_tuning(tune, sweep_); }); };
  EXPECT_EQ(refused({{"mask.patch", {4, 8}}}),
            "sweep.tune.mask.patch: cell 'mask.patch=4' sets it already; tune it, or set it, not both");
  EXPECT_EQ(refused({{"mask.ratio", {0.4, 0.6}}, {"by", "pretrain.val.loss"}}),
            "sweep.tune.by: losses of different mask.ratio are not comparable; choose by finetune.val.top1");
  EXPECT_NE(refused({{"finetune.lr", {1, 2}}, {"by", "finetune.test.top1"}}).find("allowed: pretrain.val.loss, "),
            std::string::npos);
  EXPECT_NE(refused({{"finetune.lr", 1}}).find("a list of at least one value"), std::string::npos);
  EXPECT_NE(refused({{"by", "finetune.val.top1"}}).find("names no values"), std::string::npos);
  const auto planned = [&](const PlanOptions& options) {
    return error_of(Code::usage, [&] { tuning_sweep(sweep_, options); });
  };
  EXPECT_NE(planned({.overrides = {{"finetune.lr", 2}}}).find("finetune.lr: this sweep tunes it"), std::string::npos);
  sweep_.seeds = {0, 100};
  EXPECT_NE(planned({}).find("100 is a seed of the table too"), std::string::npos);
}

}  // namespace
}  // namespace simmim
