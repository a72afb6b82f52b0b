#include "sweep/local.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <set>

#include "core/names.h"
#include "runs/run_folder.h"
#include "sweep/plan.h"
#include "sweep/worker_process.h"

namespace simmim {
namespace {

// Workers are a shell script here: what it does with a run stands in a file of the run's name in the folder `do`
// ("done" unless there is one). Each start is a line of `starts`.
constexpr const char* kWorker = R"sh(#!/bin/sh
while [ $# -gt 1 ]; do case "$1" in --run) run=$2 ;; --out) out=$2 ;; --plan) plan=$2 ;; esac; shift 2; done
echo "$run" >> "$out/starts"
order=done
[ -f "$out/do/$run" ] && order=$(head -n 1 "$out/do/$run") && sed -i 1d "$out/do/$run"
echo '{"event":"progress","step":1,"steps":2}' >&3
state() { echo "{\"id\":\"$run\",\"state\":\"$1\",\"error\":\"$2\",\"attempts\":[{\"state\":\"$1\"}]}" > "$out/runs/$run/run.json"; }
case "$order" in
  done|"") state done ;;
  fail) state failed "no luck"; exit 1 ;;
  full) echo "{\"id\":\"$run\",\"state\":\"failed\",\"attempts\":[{\"state\":\"failed\",\"exit_code\":5}]}" > "$out/runs/$run/run.json"; exit 5 ;;
  kill) kill -9 $$ ;;
  vanish) echo '{"event":"error","message":"no engine"}' >&3; exit 6 ;;
  cores) grep Cpus_allowed_list /proc/self/status >> "$out/cores"; state done ;;
  gpu) echo "$CUDA_VISIBLE_DEVICES" >> "$out/gpus"; state done ;;
  hang) echo '{"event":"message","text":"hanging"}' >&3; while :; do sleep 0.05; done ;;
  good) echo '{"step":1,"epoch":1,"val.loss":0.5}' > "$out/runs/$run/metrics.jsonl"; state done ;;
  bad) trap 'state interrupted; exit 4' TERM
    echo '{"step":1,"epoch":1,"val.loss":0.9}' > "$out/runs/$run/metrics.jsonl"
    echo '{"event":"epoch","epoch":1}' >&3; while :; do sleep 0.05; done ;;
  bad_to_the_end) echo '{"step":1,"epoch":1,"val.loss":0.9}' > "$out/runs/$run/metrics.jsonl"
    echo '{"event":"epoch","epoch":1}' >&3; state done ;;
  wait) trap 'state interrupted; exit 4' TERM; echo '{"event":"message","text":"ready"}' >&3; while :; do sleep 0.05; done ;;
esac
)sh";

struct Recorder : SweepObserver {
  std::vector<std::string> lines;
  std::function<void(const Json&)> on_event;
  int running = 0, most_running = 0;
  void started(int, const std::string& run) override {
    lines.push_back("start " + run);
    most_running = std::max(most_running, ++running);
  }
  void event(int, const std::string&, const Json& event) override {
    if (on_event) on_event(event);
  }
  void ended(int, const std::string& run, const std::string& state, const std::string& why) override {
    lines.push_back(state + " " + run + (why.empty() ? "" : ": " + why));
    --running;
  }
};

using Ids = std::vector<std::string>;

// Two chains a -> a1 and b -> b1.
class LocalExecutor : public testing::Test {
 protected:
  LocalExecutor() : out_(fs::temp_directory_path() / ("simmim-local-" + std::to_string(getpid()))) {
    fs::remove_all(out_);
    make_folder(out_ / "do");
    write_file_atomically(out_ / "worker", kWorker);
    chmod((out_ / "worker").c_str(), 0755);
    for (const auto& [id, parent] : {std::pair{"a", ""}, {"a1", "a"}, {"b", ""}, {"b1", "b"}})
      plan_["runs"][id] = {{"id", id},
                           {"kind", *parent ? "finetune" : "pretrain"},
                           {"parent", *parent ? Json(parent) : Json(nullptr)},
                           {"config", {{"seed", 0}}}};
    options_ = {.out = out_,
                .database = out_ / "simmim.db",
                .plan_file = "plan.json",
                .worker = {(out_ / "worker").string()},
                .selected = {"a", "a1", "b", "b1"}};
  }
  ~LocalExecutor() override { fs::remove_all(out_); }

  void order(const std::string& run, const std::string& orders) { write_file_atomically(out_ / "do" / run, orders); }
  SweepOutcome work() { return run_local(plan_, options_, recorder_); }
  Ids starts() {
    Ids out;
    std::ifstream file(out_ / "starts");
    for (std::string line; std::getline(file, line);) out.push_back(line);
    return out;
  }

  fs::path out_;
  Json plan_ = {{"runs", Json::object()}, {"cells", Json::array()}, {"seeds", Json::array()}};
  LocalOptions options_;
  Recorder recorder_;
};

TEST_F(LocalExecutor, RunsParentsBeforeTheirChildrenAndNothingTwice) {
  EXPECT_EQ(work().done, (Ids{"a", "a1", "b", "b1"}));
  const SweepOutcome again = work();
  EXPECT_EQ(again.reused, (Ids{"a", "a1", "b", "b1"}));
  EXPECT_TRUE(again.done.empty());
  EXPECT_EQ(starts(), (Ids{"a", "a1", "b", "b1"}));
}

TEST_F(LocalExecutor, KeepsAsManyWorkersBusyAsItMay) {
  options_.jobs = 2;
  EXPECT_EQ(work().done.size(), 4u);
  EXPECT_EQ(recorder_.most_running, 2);
}

TEST_F(LocalExecutor, FailureBlocksItsChildrenAndNoOtherRun) {
  order("a", "fail\n");
  const SweepOutcome outcome = work();
  EXPECT_EQ(outcome.failed, Ids{"a"});
  EXPECT_EQ(outcome.blocked, Ids{"a1"});
  EXPECT_EQ(outcome.done, (Ids{"b", "b1"}));
  EXPECT_NE(std::find(recorder_.lines.begin(), recorder_.lines.end(), "failed a: no luck"), recorder_.lines.end());
}

TEST_F(LocalExecutor, TriesAFailedRunAgainOnlyWhenAsked) {
  order("a", "fail\n");
  work();
  EXPECT_EQ(work().failed, Ids{"a"});
  EXPECT_EQ(starts(), (Ids{"a", "b", "b1"}));
  options_.retry_failed = true;
  EXPECT_EQ(work().done, (Ids{"a", "a1"}));
}

TEST_F(LocalExecutor, TriesARunThatFoundTheDiskFullAgainWithTheNextCommand) {
  order("a", "full\n");
  EXPECT_EQ(work().failed, Ids{"a"});
  EXPECT_EQ(work().done, (Ids{"a", "a1"}));
}

TEST_F(LocalExecutor, TakesAKilledRunUpAgainAtOnce) {
  order("a", "kill\n");
  EXPECT_EQ(work().done.size(), 4u);
  EXPECT_EQ(starts(), (Ids{"a", "a", "a1", "b", "b1"}));
}

TEST_F(LocalExecutor, GivesUpARunWhoseWorkerIsKilledEachTimeAndRecordsIt) {
  order("a", "kill\nkill\nkill\n");
  EXPECT_EQ(work().failed, Ids{"a"});
  EXPECT_EQ(read_record(run_path(out_, "a")).value("state", ""), "failed");
}

TEST_F(LocalExecutor, WorkerThatEndsWithoutARecordIsAFailureWithItsReason) {
  order("b", "vanish\n");
  EXPECT_EQ(work().failed, Ids{"b"});
  EXPECT_EQ(read_record(run_path(out_, "b")).value("error", ""), "no engine");
}

TEST_F(LocalExecutor, StartsNothingNewAfterTheMostFailuresAllowed) {
  order("a", "fail\n");
  options_.max_failures = 1;
  const SweepOutcome outcome = work();
  EXPECT_EQ(starts(), Ids{"a"});
  EXPECT_EQ(outcome.left, (Ids{"b", "b1"}));
}

TEST_F(LocalExecutor, InterruptLetsWorkersSaveAndTheSameCommandGoesOn) {
  order("a", "wait\n");
  int interrupts = 0;
  options_.interrupts = [&] { return interrupts; };
  recorder_.on_event = [&](const Json& event) { interrupts += event["event"] == "message"; };
  const SweepOutcome outcome = work();
  EXPECT_TRUE(outcome.interrupted);
  EXPECT_EQ(read_record(run_path(out_, "a")).value("state", ""), "interrupted");
  EXPECT_EQ(outcome.left, (Ids{"a", "a1", "b", "b1"}));
  interrupts = 0;
  EXPECT_EQ(work().done.size(), 4u);
}

TEST_F(LocalExecutor, SecondInterruptEndsWorkersThatDoNotListen) {
  order("a", "wait\n");
  int interrupts = 0;
  options_.interrupts = [&] { return interrupts; };
  recorder_.on_event = [&](const Json& event) { interrupts += 2 * (event["event"] == "message"); };
  EXPECT_TRUE(work().interrupted);
}

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

TEST_F(LocalExecutor, WaitsForARunInTheHandsOfAnotherProcessAndReusesIt) {
  auto folder = RunFolder::claim(out_, "a");
  folder->begin_attempt("pretrain", "", 0, Json::object());
  options_.selected = {"a"};
  struct Releaser : Recorder {
    std::function<void()> on_tick;
    void tick() override { on_tick(); }
  } releaser;
  releaser.on_tick = [&] {
    if (folder) folder->end_attempt("done");
    folder.reset();
  };
  const SweepOutcome outcome = run_local(plan_, options_, releaser);
  EXPECT_EQ(outcome.reused, Ids{"a"});
  EXPECT_TRUE(starts().empty());
}

}  // namespace
}  // namespace simmim
