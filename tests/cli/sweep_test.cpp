// Sweeps from the command line: plan, kill, interrupt, finish what is missing. Needs the engine and Fashion-MNIST.
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

class Sweep : public testing::Test {
 protected:
  Sweep() {
    Json set = Json::object();
    for (const std::string& word : tiny()) {
      const auto [key, value] = parse_override(word);
      set[key] = value;
    }
    const Json sweep = {{"set", set},
                        {"axes",
                         {{{"grid", {{"mask.ratio", {0.4, 0.6}}}}},
                          {{"cases", {{"pretrained", Json::object()}, {"scratch", {{"finetune.from", "scratch"}}}}}}}},
                        {"seeds", 1},
                        {"resources", {{"threads", 1}}}};
    folder_.write("s.json", sweep.dump());
  }
  Words words(const std::string& out = "results") {
    return {"sweep", (folder_ / "s.json").string(), "--out", (folder_ / out).string()};
  }
  Finished run(const Words& more = {}) { return simmim_run(words() + more); }
  std::set<std::string> runs(const std::string& out = "results") {
    std::set<std::string> ids;
    for (const auto& entry : fs::directory_iterator(folder_ / out / "runs")) ids.insert(entry.path().filename());
    return ids;
  }
  // Every run of the other results folder is here, done in one piece or several, with the same final bytes.
  void expect_same_results(const std::string& other) {
    EXPECT_EQ(runs(), runs(other));
    for (const std::string& id : runs(other)) {
      const fs::path here = folder_ / "results/runs" / id, there = folder_ / other / "runs" / id;
      EXPECT_EQ(read_record(here).value("state", ""), "done");
      EXPECT_EQ(read_file(here / "final.safetensors"), read_file(there / "final.safetensors")) << id;
    }
  }
  Temporary folder_;
};

TEST_F(Sweep, DryRunShowsSharingAndMakesNothing) {
  const Finished got = run({"--dry-run", "--json"});
  ASSERT_EQ(got.code, 0) << got.err;
  const Json plan = got.json();
  EXPECT_EQ(plan["plan"]["cells"].size(), 3u);  // one from scratch: the mask does not enter it
  EXPECT_EQ(plan["todo"].size(), 5u);
  EXPECT_GT(plan["seconds"].get<double>(), 0);
  EXPECT_FALSE(fs::exists(folder_ / "results"));
  const std::string text = run({"--dry-run"}).out;
  for (const char* part : {"3 cells x 1 seed: 5 runs", "time: about ", "disk: ", "memory: up to "})
    EXPECT_NE(text.find(part), std::string::npos) << text;
}

TEST_F(Sweep, RunsReusesAndAddsSeeds) {
  const Finished first = run();
  ASSERT_EQ(first.code, 0) << first.err;
  EXPECT_NE(first.out.find("5 done, 0 reused"), std::string::npos);
  const Words out = {"--out", (folder_ / "results").string()};
  const Json two =
      simmim_run(Words{"table", "s", "--where", "case=pretrained", "--split", "test", "--json"} + out).json();
  EXPECT_GT(two["tables"][0]["by_image"]["images"].get<int64_t>(), 0);  // from the runs' stored predictions
  const Finished report = simmim_run(Words{"report", "s", "--publish", (folder_ / "published").string()} + out);
  EXPECT_EQ(report.code, 0) << report.err;
  EXPECT_EQ(trim(report.out), (folder_ / "results/sweeps/s/report.html").string());
  for (const char* name : {"report.html", "table.md", "table.csv", "plot.svg", "plot.png"})
    EXPECT_TRUE(fs::exists(folder_ / "published" / name)) << name;
  EXPECT_NE(run().out.find("0 done, 5 reused"), std::string::npos);
  EXPECT_NE(run({"--seeds", "2", "--only", "case=scratch"}).out.find("1 done, 1 reused"), std::string::npos);
  EXPECT_EQ(simmim_run(Words{"table", "s"} + out).code, 0);
  EXPECT_NE(simmim_run(Words{"status", "s"} + out).out.find("6 done"), std::string::npos);
}

TEST_F(Sweep, InvalidCellsAreNamedBeforeAnythingStarts) {
  folder_.write("bad.json", R"({"axes": [{"grid": {"mask.patch": [4, 5, 8]}}]})");
  const Finished got = simmim_run({"sweep", (folder_ / "bad.json").string(), "--out", (folder_ / "results").string()});
  EXPECT_EQ(got.code, 2);
  EXPECT_NE(got.err.find("1 of 3 cells name no valid run"), std::string::npos) << got.err;
  EXPECT_NE(got.err.find("mask.patch=5: "), std::string::npos);
  EXPECT_FALSE(fs::exists(folder_ / "results"));
}

TEST_F(Sweep, FailedRunMarksItsChildAndTheRestGoesOn) {
  ASSERT_EQ(simmim_run(words("whole")).code, 0);
  // A file where the run's folder should be: that run cannot start.
  const Json plan = *read_plan(folder_ / "whole", "s");
  const std::string victim = plan["cells"][0]["chains"][0]["runs"][0]["id"];
  make_folder(folder_ / "results/runs" / victim / "final.safetensors");
  const Finished got = run();
  EXPECT_EQ(got.code, 3) << got.err;
  EXPECT_NE(got.out.find("3 done, 0 reused, 1 failed, 1 not runnable"), std::string::npos) << got.out;
  EXPECT_NE(got.err.find("--retry-failed"), std::string::npos);
  fs::remove(folder_ / "results/runs" / victim / "final.safetensors");
  EXPECT_EQ(run().code, 0);  // what was wrong lay outside the run: the same command tries it again
  expect_same_results("whole");
}

TEST_F(Sweep, WorkerKilledIsTakenUpAgainAndNothingIsLost) {
  ASSERT_EQ(simmim_run(words("whole")).code, 0);
  Process sweep(words());
  ASSERT_TRUE(sweep.wait_for("epoch 1:"));
  bool killed = false;
  for (const std::string& id : runs()) {
    const fs::path folder = folder_ / "results/runs" / id;
    const Json record = read_record(folder);
    if (killed || effective_state(folder, record) != "running") continue;
    kill(record["attempts"].back()["pid"].get<pid_t>(), SIGKILL);
    killed = true;
  }
  EXPECT_TRUE(killed);
  const Finished got = sweep.finish();
  EXPECT_EQ(got.code, 0) << got.err;
  expect_same_results("whole");
}

TEST_F(Sweep, KilledSweepTakesItsWorkersAlongAndTheSameCommandFinishesAtOnce) {
  ASSERT_EQ(simmim_run(words("whole")).code, 0);
  Process sweep(words());
  ASSERT_TRUE(sweep.wait_for("epoch 1:"));
  sweep.signal(SIGKILL);
  EXPECT_EQ(sweep.finish().code, 128 + SIGKILL);
  const Finished got = run();
  EXPECT_EQ(got.code, 0) << got.err;
  expect_same_results("whole");
}

TEST_F(Sweep, TwoAtOnceShareTheWorkAndRunNothingTwice) {
  Process first(words() + Words{"--jobs", "1"}), second(words() + Words{"--jobs", "1"});
  EXPECT_EQ(first.finish().code, 0);
  EXPECT_EQ(second.finish().code, 0);
  EXPECT_EQ(runs().size(), 5u);
  for (const std::string& id : runs())
    EXPECT_EQ(read_record(folder_ / "results/runs" / id)["attempts"].size(), 1u) << id;
}

TEST_F(Sweep, InterruptLetsWorkersSaveAndTheSameCommandGoesOn) {
  ASSERT_EQ(simmim_run(words("whole")).code, 0);
  Process sweep(words());
  ASSERT_TRUE(sweep.wait_for("epoch 1:"));
  sweep.signal(SIGINT, /*group=*/true);  // as a terminal does
  const Finished stopped = sweep.finish();
  EXPECT_EQ(stopped.code, 4) << stopped.err;
  EXPECT_NE(stopped.err.find("go on with: simmim " + join(words(), " ")), std::string::npos) << stopped.err;
  for (const std::string& id : runs()) {
    const fs::path folder = folder_ / "results/runs" / id;
    EXPECT_NE(effective_state(folder, read_record(folder)), "running");
  }
  EXPECT_EQ(run().code, 0);
  expect_same_results("whole");
}

}  // namespace
}  // namespace simmim
