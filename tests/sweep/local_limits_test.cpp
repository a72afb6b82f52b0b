// What bounds the workers of the local executor: a rule that stops them, hours, silence, GPUs, cores.
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <set>

#include "runs/run_folder.h"
#include "sweep/local.h"
#include "sweep/local_executor.h"
#include "sweep/worker_process.h"

namespace simmim {
namespace {

TEST_F(LocalExecutor, StopsARunThatIsWorseThanTheMedianAndDoesNotTakeItUpAgain) {
  plan_["stop_if"] = {{"worse_than_median", {{"metric", "val.loss"}, {"at_least", 2}}}};
  for (const char* id : {"a", "b", "c"})
    plan_["runs"][id] = {
        {"id", id}, {"kind", "pretrain"}, {"parent", nullptr}, {"config", {{"seed", 0}}}, {"plan", {{"epochs", 2}}}};
  plan_["runs"]["c1"] = {{"id", "c1"}, {"kind", "finetune"}, {"parent", "c"}, {"config", {{"seed", 0}}}};
  options_.selected = {"a", "b", "c", "c1"};
  order("a", "good\n");
  order("b", "good\n");
  order("c", "bad\n");
  const SweepOutcome outcome = work();
  EXPECT_EQ(outcome.stopped, Ids{"c"});
  EXPECT_EQ(outcome.blocked, Ids{"c1"});
  EXPECT_TRUE(outcome.failed.empty());
  const Json record = read_record(run_path(out_, "c"));
  EXPECT_EQ(record["state"], "stopped");
  EXPECT_EQ(record["attempts"][0]["state"], "stopped");
  const std::string why = "val.loss of 0.9 at epoch 1 is worse than 0.5, the median of 2 comparable runs (stop_if)";
  EXPECT_EQ(record["error"], why);
  EXPECT_EQ(recorder_.lines.back(), "stopped c: " + why);
  EXPECT_EQ(work().stopped, Ids{"c"});
  EXPECT_EQ(starts().size(), 3u);
  options_.retry_failed = true;  // asked for in spite of the rule: to its end
  order("c", "bad_to_the_end\n");
  EXPECT_EQ(work().done, (Ids{"c", "c1"}));
}

TEST_F(LocalExecutor, StartsNothingThatDoesNotFitIntoTheBudget) {
  options_.clock = [] { return 0.0; };
  options_.deadline = 100;
  options_.seconds_left = [](const std::string& run) { return run == "b" ? 101.0 : run == "a" ? 100.0 : std::nan(""); };
  const SweepOutcome outcome = work();
  EXPECT_EQ(outcome.done, (Ids{"a", "a1"}));
  EXPECT_EQ(outcome.left, (Ids{"b", "b1"}));
  EXPECT_TRUE(outcome.out_of_time);
  EXPECT_FALSE(outcome.interrupted);
  options_.deadline = 101;
  EXPECT_FALSE(work().out_of_time);
}

TEST_F(LocalExecutor, EndOfTheBudgetLetsWorkersSaveAndTheSameCommandGoesOn) {
  order("a", "wait\n");
  double now = 0;
  options_.clock = [&] { return now; };
  options_.deadline = 100;
  recorder_.on_event = [&](const Json& event) { now = event["event"] == "message" ? 200 : now; };
  const SweepOutcome outcome = work();
  EXPECT_TRUE(outcome.out_of_time);
  EXPECT_EQ(read_record(run_path(out_, "a")).value("state", ""), "interrupted");
  EXPECT_EQ(outcome.left.size(), 4u);
  options_.deadline = 300;
  EXPECT_EQ(work().done.size(), 4u);
}

TEST_F(LocalExecutor, EndsAWorkerWithoutASignOfLifeAndTakesItsRunUpAgain) {
  order("a", "hang\n");
  double now = 0, step = 0;
  options_.clock = [&] { return now += step; };
  options_.silence = 60;
  recorder_.on_event = [&](const Json& event) { step = event["event"] == "message" ? 1000 : 0; };
  const SweepOutcome outcome = work();
  EXPECT_EQ(outcome.done.size(), 4u);
  EXPECT_EQ(starts(), (Ids{"a", "a", "a1", "b", "b1"}));
  EXPECT_NE(std::find(recorder_.lines.begin(), recorder_.lines.end(), "lost a: no sign of life for 1 min"),
            recorder_.lines.end());
  EXPECT_GE(now, 60 / 5 * 1000) << "a clock that leaps, as after a suspended sweep, must not count as silence";
}

TEST_F(LocalExecutor, DealsTheGpusToItsWorkers) {
  for (const char* run : {"a", "b"}) order(run, "gpu\n");
  options_.jobs = 2;
  options_.gpus = {"3", "GPU-7"};
  EXPECT_EQ(work().done.size(), 4u);
  std::ifstream file(out_ / "gpus");
  std::set<std::string> seen;
  for (std::string line; std::getline(file, line);) seen.insert(line);
  EXPECT_EQ(seen, (std::set<std::string>{"3", "GPU-7"}));
}

TEST(CoresOfWorker, ShareOutAllCoresOrLeaveWorkersFree) {
  const std::vector<int> all = core_numbers();
  const int cores = static_cast<int>(all.size());
  std::vector<int> dealt;
  for (int worker = 0; worker < cores; ++worker)
    for (const int core : cores_of_worker(worker, cores, 1)) dealt.push_back(core);
  EXPECT_EQ(dealt, cores > 1 ? all : std::vector<int>());
  EXPECT_TRUE(cores_of_worker(0, 1, cores).empty()) << "a single worker may run anywhere";
  EXPECT_TRUE(cores_of_worker(0, cores + 1, 1).empty()) << "more workers than cores";
}

TEST_F(LocalExecutor, PinsWorkersThatShareOutTheCores) {
  const int cores = static_cast<int>(core_numbers().size());
  const bool even = cores % 2 == 0;
  options_.jobs = 2;
  for (const int threads : {cores / 2, cores}) {
    for (const char* run : {"a", "b"}) order(run, "cores\n");
    options_.threads = threads;
    fs::remove_all(out_ / "runs");
    EXPECT_EQ(work().done.size(), 4u);
    std::ifstream file(out_ / "cores");
    std::set<std::string> seen;
    for (std::string line; std::getline(file, line);) seen.insert(line);
    EXPECT_EQ(seen.size(), threads == cores / 2 && even ? 2u : 1u);
    fs::remove(out_ / "cores");
  }
}

TEST_F(LocalExecutor, PinsNoWorkerWhereFewerRunsAreLeftThanWorkers) {
  const int cores = static_cast<int>(core_numbers().size());
  options_.jobs = 2;
  options_.threads = cores / 2;
  for (const char* run : {"a", "b"}) order(run, "cores\n");
  options_.selected = {"a"};
  EXPECT_EQ(work().done.size(), 1u);
  options_.jobs = 1;  // one that may run anywhere
  options_.selected = {"b"};
  EXPECT_EQ(work().done.size(), 1u);
  std::ifstream file(out_ / "cores");
  std::set<std::string> seen;
  for (std::string line; std::getline(file, line);) seen.insert(line);
  EXPECT_EQ(seen.size(), 1u);
}

}  // namespace
}  // namespace simmim
