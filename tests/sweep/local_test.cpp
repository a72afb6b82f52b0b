#include "sweep/local.h"

#include <gtest/gtest.h>

#include "runs/run_folder.h"
#include "sweep/local_executor.h"

namespace simmim {
namespace {

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
