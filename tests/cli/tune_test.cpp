// "tune" in a sweep, through the program: the trying, the choice, the table; killed and gone on with. Needs the engine
// and Fashion-MNIST.
#include <gtest/gtest.h>
#include <signal.h>

#include <set>

#include "cli/process.h"
#include "core/names.h"
#include "runs/run_folder.h"
#include "temporary.h"

namespace simmim {
namespace {

using Words = std::vector<std::string>;

class TunedSweep : public testing::Test {
 protected:
  TunedSweep() {
    for (const std::string& word : tiny()) {
      const auto [key, value] = parse_override(word);
      sweep_["set"][key] = value;
    }
    write();
  }
  void write() { folder_.write("s.json", sweep_.dump()); }
  Finished run(const Words& more = {}, const std::string& out = "results") {
    return simmim_run(Words{"sweep", (folder_ / "s.json").string(), "--out", (folder_ / out).string()} + more);
  }
  Finished look(const Words& words) { return simmim_run(words + Words{"--out", (folder_ / "results").string()}); }

  Temporary folder_;
  // With the first rate next to nothing is learnt.
  Json sweep_ = Json::parse(R"({
    "axes": [{"cases": {"pretrained": {}, "scratch": {"finetune.from": "scratch"}}}],
    "seeds": 1,
    "tune": {"finetune.lr": [1e-6, 2e-3], "seeds": [100]},
    "resources": {"threads": 1}
  })");
};

TEST_F(TunedSweep, TriesChoosesAndTellsWhatItChose) {
  const Json before = run({"--dry-run", "--json"}).json();
  EXPECT_EQ(before["tuning"]["todo"].size(), 1u + 4u);
  EXPECT_EQ(before["todo"].size(), 3u);
  EXPECT_EQ(before["assumed"], true);
  const std::string sketch = run({"--dry-run"}).out;
  EXPECT_NE(sketch.find("s-tune: finetune.lr for each cell of s, by finetune.val.top1"), std::string::npos) << sketch;
  EXPECT_NE(sketch.find("s, with the values that the tuning is yet to choose"), std::string::npos) << sketch;
  EXPECT_FALSE(fs::exists(folder_ / "results"));

  const Finished first = run();
  ASSERT_EQ(first.code, 0) << first.err;
  EXPECT_NE(first.out.find("sweep s: 3 done, 0 reused"), std::string::npos) << first.out;
  const Json plan = *read_plan(folder_ / "results", "s");
  for (const Json& cell : plan["cells"]) {
    EXPECT_EQ(cell["tuned"]["set"]["finetune.lr"], 2e-3) << cell.dump(1);
    const std::string last = cell["chains"][0]["runs"].back()["id"];
    EXPECT_EQ(plan["runs"][last]["config"]["finetune"]["lr"], 2e-3);
    EXPECT_EQ(plan["runs"][last]["seed"], 0);
  }
  EXPECT_NE(run().out.find("sweep s: 0 done, 3 reused"), std::string::npos);
  const Json after = run({"--dry-run", "--json"}).json();
  EXPECT_TRUE(after["todo"].empty());
  EXPECT_FALSE(after.contains("assumed"));

  EXPECT_NE(look({"status", "s"}).out.find("s-tune: 5 done of 5 runs"), std::string::npos);
  EXPECT_NE(look({"table", "s"}).out.find("at edge"), std::string::npos);
  EXPECT_EQ(look({"table", "s-tune"}).code, 0);
  const std::string id = plan["cells"][0]["chains"][0]["runs"].back()["id"];
  const Json shown = look({"show", id, "--json"}).json();
  ASSERT_EQ(shown["tuned"].size(), 2u);
  EXPECT_EQ(shown["tuned"][1]["finetune.lr"], 2e-3);
  EXPECT_EQ(shown["tuned"][1]["chosen"], true);
  EXPECT_TRUE(fs::exists(run_path(folder_ / "results", shown["tuned"][1]["runs"][0])));
}

TEST_F(TunedSweep, ChecksItsTableAgainstTheCellsToComeBeforeItTriesAnything) {
  sweep_["axes"].push_back(Json::parse(R"({"grid": {"mask.ratio": [0.4, 0.6]}})"));
  sweep_["table"] = {{"baseline", "scratch"}};
  write();
  EXPECT_EQ(run({"--dry-run"}).code, 0);
  EXPECT_EQ(look({"check", (folder_ / "s.json").string()}).code, 0);
  sweep_["table"] = {{"baseline", {{"case", "scratch"}, {"mask.ratio", 0.6}}}};
  write();
  const Finished refused = run();
  EXPECT_EQ(refused.code, 2);
  EXPECT_NE(refused.err.find("fits no cell; cells whose runs are the same are one"), std::string::npos) << refused.err;
  EXPECT_FALSE(fs::exists(folder_ / "results"));
}

TEST_F(TunedSweep, KilledWhileItTriesGoesOnToTheSameRuns) {
  ASSERT_EQ(run({}, "whole").code, 0);
  Process sweep({"sweep", (folder_ / "s.json").string(), "--out", (folder_ / "results").string()});
  ASSERT_TRUE(sweep.wait_for("epoch 1:"));
  sweep.signal(SIGKILL);
  sweep.finish();
  EXPECT_FALSE(read_plan(folder_ / "results", "s"));
  ASSERT_EQ(run().code, 0);
  const Json here = *read_plan(folder_ / "results", "s"), there = *read_plan(folder_ / "whole", "s");
  EXPECT_EQ(here["cells"], there["cells"]);
}

TEST_F(TunedSweep, OfAPreTrainingsRateTunesWhatStartsFromItAndLeavesScratchAlone) {
  sweep_["tune"] = Json::parse(R"({"pretrain.lr": [1e-3, 2e-3], "by": "pretrain.val.loss", "seeds": [7]})");
  write();
  ASSERT_EQ(run().code, 0);
  const Json plan = *read_plan(folder_ / "results", "s");
  EXPECT_TRUE(plan["cells"][0].contains("tuned"));
  EXPECT_FALSE(plan["cells"][1].contains("tuned"));
}

TEST_F(TunedSweep, WithOnlyPlansTheCellsThatItTuned) {
  const Finished got = run({"--only", "case=scratch seed=0"});
  ASSERT_EQ(got.code, 0) << got.err;
  EXPECT_NE(got.err.find("1 cell not tuned yet and left out of this plan"), std::string::npos) << got.err;
  EXPECT_EQ(read_plan(folder_ / "results", "s")->at("cells").size(), 1u);
  EXPECT_EQ(run().code, 0);
  EXPECT_EQ(read_plan(folder_ / "results", "s")->at("cells").size(), 2u);
}

}  // namespace
}  // namespace simmim
