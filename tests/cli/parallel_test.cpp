// Several processes that share one run, started by mpirun as a user starts them. Needs the MPI plug-in and mpirun.
#include <gtest/gtest.h>
#include <signal.h>

#include <cmath>
#include <fstream>

#include "cli/process.h"
#include "core/names.h"
#include "core/process.h"
#include "runs/run_folder.h"
#include "temporary.h"

namespace simmim {
namespace {

using Words = std::vector<std::string>;

bool has_mpi() {
  return fs::exists(fs::path(SIMMIM_BINARY).parent_path() / "libsimmim_mpi.so") &&
         run_command({"mpirun", "--version"}).code == 0;
}

// A grace of a minute between mpirun's TERM and its KILL; nothing is bound to a core, since there may be too few.
Words mpirun(int ranks) {
  return {"mpirun",
          "--allow-run-as-root",
          "--oversubscribe",
          "--bind-to",
          "none",
          "--mca",
          "odls_base_sigkill_timeout",
          "60",
          "--mca",
          "btl",
          "self,vader",
          "-n",
          std::to_string(ranks)};
}

int64_t count(const std::string& text, const std::string& part) {
  int64_t n = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

class Parallel : public testing::Test {
 protected:
  void SetUp() override {
    if (!has_mpi()) GTEST_SKIP() << "no MPI here: scripts/setup.sh --slow installs it, and a new build uses it";
  }

  Process::Environment environment(const std::string& out) {
    return {
        {"SIMMIM_OUT", (folder_ / out).string()}, {"SIMMIM_THREADS", "1"}, {"OMPI_MCA_rmaps_base_oversubscribe", "1"}};
  }
  std::unique_ptr<Process> start(int ranks, const Words& words, const std::string& out) {
    return std::make_unique<Process>(words, environment(out), "", ranks == 1 ? Words{} : mpirun(ranks));
  }
  Finished run(int ranks, const Words& words, const std::string& out) { return start(ranks, words, out)->finish(); }

  // A run to its end -> its id.
  std::string done(int ranks, const Words& words, const std::string& out) {
    const Finished got = run(ranks, words + Words{"--json"}, out);
    EXPECT_EQ(got.code, 0) << got.err;
    return got.code == 0 ? got.json().value("id", "") : "";
  }
  fs::path file(const std::string& out, const std::string& id, const std::string& name) {
    return folder_ / out / "runs" / id / name;
  }
  Json record(const std::string& out, const std::string& id) { return read_record(folder_ / out / "runs" / id); }

  std::vector<Json> journal(const std::string& out, const std::string& id) {
    std::vector<Json> lines;
    read_journal(file(out, id, "metrics.jsonl"), 0, [&](const Json& line) { lines.push_back(line); });
    return lines;
  }

  // The curves of two runs agree to `tolerance`, relatively, in all that no clock makes.
  void expect_same_curves(const std::vector<Json>& one, const std::vector<Json>& other, double tolerance) {
    ASSERT_EQ(one.size(), other.size());
    ASSERT_GE(one.size(), 8u);
    for (size_t i = 0; i < one.size(); ++i)
      for (const auto& [key, value] : one[i].items()) {
        if (key == "seconds" || key == "images_per_second" || key == "data_wait") continue;
        ASSERT_TRUE(other[i].contains(key)) << key;
        EXPECT_NEAR(value.get<double>(), other[i][key].get<double>(), tolerance * (1 + std::abs(value.get<double>())))
            << key << " of line " << i;
      }
  }

  void expect_same_as_alone(const std::vector<int>& ranks, const Words& words, double tolerance = 1e-10) {
    const std::string id = done(1, words, "alone");
    const std::vector<Json> alone = journal("alone", id);
    for (const int n : ranks) {
      const std::string out = fmt::format("ranks{}", n);
      EXPECT_EQ(done(n, words, out), id);  // the number of processes is no part of what a run is
      expect_same_curves(alone, journal(out, id), tolerance);
      const Json attempt = record(out, id)["attempts"].back();
      EXPECT_EQ(attempt["environment"]["processes"], n);
      EXPECT_EQ(record(out, id)["summary"]["images_seen"], record("alone", id)["summary"]["images_seen"]);
    }
  }

  Temporary folder_;
};

// f64 and every step in the journal.
Words exact() { return tiny() + Words{"precision=f64", "pretrain.log_steps=1", "finetune.log_steps=1"}; }

TEST_F(Parallel, RanksLearnWhatOneProcessLearns) {
  expect_same_as_alone({2, 4}, Words{"pretrain"} + exact() + Words{"encoder.depth=2", "encoder.drop_path=0.3"});
}

TEST_F(Parallel, RanksLearnTheSameOnSwinWithBlockwiseMasks) {
  expect_same_as_alone(
      {2}, Words{"pretrain", "encoder.preset=swin_nano", "encoder.dim=16", "mask.name=blockwise", "mask.patch=8",
                 "mask.ratio=0.4", "precision=f64", "pretrain.log_steps=1", "data.limit=128", "data.workers=0",
                 "pretrain.epochs=2", "pretrain.batch_size=32", "pretrain.warmup_epochs=0.5"});
}

TEST_F(Parallel, RanksLearnTheSameInPiecesAndWithRecomputation) {
  expect_same_as_alone({2}, Words{"pretrain"} + exact() + Words{"pretrain.accumulate=3", "encoder.checkpointing=true"});
}

TEST_F(Parallel, RanksFineTuneTheSameWithMixedImagesAndAnAverage) {
  const Words words =
      Words{"finetune", "--from", "scratch"} + exact() +
      Words{"finetune.mixup=0.8", "finetune.cutmix=1", "finetune.ema=0.9", "data.limit=192", "finetune.batch_size=36"};
  expect_same_as_alone({2, 3}, words);
}

TEST_F(Parallel, F32CurvesDifferByRoundingAlone) {
  expect_same_as_alone({2}, Words{"pretrain"} + tiny() + Words{"precision=f32", "pretrain.log_steps=1"}, 1e-4);
}

TEST_F(Parallel, ACheckpointOfTwoGoesOnOnOneAndOnFour) {
  const Words words = Words{"pretrain"} + exact() + Words{"pretrain.epochs=6"};
  const std::string id = done(1, words, "whole");
  const std::unique_ptr<Process> two = start(2, words, "two");
  ASSERT_TRUE(two->wait_for("epoch 2:"));
  two->signal(SIGUSR2);  // mpirun hands it on
  const Finished stopped = two->finish();
  EXPECT_EQ(stopped.code, 4) << stopped.err;
  EXPECT_EQ(count(stopped.err, "the same command goes on from there"), 1) << stopped.err;
  EXPECT_EQ(record("two", id)["state"], "interrupted");
  fs::copy(folder_ / "two", folder_ / "four", fs::copy_options::recursive);
  for (const auto& [out, ranks] : {std::pair{"two", 1}, {"four", 4}}) {
    EXPECT_EQ(done(ranks, words, out), id);
    expect_same_curves(journal("whole", id), journal(out, id), 1e-10);
  }
}

// The processes of the program that mpirun has started, by rank.
pid_t rank_process(pid_t mpirun, int rank) {
  std::ifstream children(fmt::format("/proc/{0}/task/{0}/children", mpirun));
  for (pid_t child = 0; children >> child;) {
    const std::string variables = read_file(fmt::format("/proc/{}/environ", child));
    if (variables.find(fmt::format("OMPI_COMM_WORLD_RANK={}", rank) + '\0') != std::string::npos) return child;
  }
  return -1;
}

// Long enough to be stopped, with a checkpoint every step.
Words endless() {
  return Words{"pretrain"} + exact() + Words{"pretrain.epochs=500", "pretrain.save_steps=1", "pretrain.val_epochs=0"};
}

TEST_F(Parallel, ASignalToOneRankStopsAllAtTheSameStepWithACheckpoint) {
  const std::unique_ptr<Process> two = start(2, endless(), "out");
  ASSERT_TRUE(two->wait_for("epoch 2:"));
  const pid_t one = rank_process(two->pid(), 1);
  ASSERT_GT(one, 0);
  kill(one, SIGTERM);
  const Finished stopped = two->finish();
  EXPECT_EQ(stopped.code, 4) << stopped.err;
  EXPECT_EQ(count(stopped.err, "the same command goes on from there"), 1) << stopped.err;
}

TEST_F(Parallel, ALostRankEndsTheRunWhichTheSameCommandTakesUp) {
  for (const int lost : {0, 1}) {
    const std::string out = fmt::format("lost{}", lost);
    const std::unique_ptr<Process> two = start(2, endless(), out);
    ASSERT_TRUE(two->wait_for("epoch 2:"));
    const pid_t process = rank_process(two->pid(), lost);
    ASSERT_GT(process, 0);
    kill(process, SIGKILL);
    const Finished got = two->finish();
    EXPECT_NE(got.code, 0);
    EXPECT_EQ(count(got.err, fmt::format("simmim: rank {} of 2 is gone", lost)), 1) << got.err;
    const std::string id = fs::directory_iterator(folder_ / out / "runs")->path().filename();
    const fs::path folder = folder_ / out / "runs" / id;
    EXPECT_EQ(effective_state(folder, record(out, id)), lost == 0 ? "lost" : "failed");
    const std::unique_ptr<Process> again = start(1, endless(), out);
    EXPECT_TRUE(again->wait_for("going on from step"));
    again->signal(SIGTERM);
    EXPECT_EQ(again->finish().code, 4);
  }
}

TEST_F(Parallel, AFailureIsSaidOnce) {
  const auto says = [&](int ranks, const Words& words, int code, const std::string& text) {
    const Finished got = run(ranks, words, "out");
    EXPECT_EQ(got.code, code) << got.err;
    EXPECT_EQ(count(got.err, text), 1) << got.err;
    EXPECT_EQ(count(got.err, "simmim: "), 1) << got.err;
  };
  says(3, Words{"pretrain", "--quiet"} + tiny(), 2, "32 images a step do not divide among 3 processes; use 30 or 33");
  says(2, {"pretrain", "--quiet", "mask.ratoi=1"}, 2, "did you mean 'ratio'?");
  says(2, Words{"pretrain", "--quiet", "pretrain.lr=1e300", "pretrain.max_skipped_steps=3"} + tiny(), 1,
       "not finite in 3 steps in a row");
}

TEST_F(Parallel, AFinishedRunIsReusedAndADryRunComputesNothing) {
  const Words words = Words{"pretrain"} + tiny();
  const Finished planned = run(2, words + Words{"--dry-run"}, "out");
  EXPECT_EQ(planned.code, 0) << planned.err;
  EXPECT_EQ(count(planned.out, "\nparameters "), 1) << planned.out;
  const std::string id = done(2, words, "out");
  const Finished again = run(2, words, "out");
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_EQ(count(again.err, "is already done: reused"), 1) << again.err;
}

class WrongLaunch : public testing::Test {
 protected:
  Finished run(const Words& words, Process::Environment environment) {
    environment["SIMMIM_OUT"] = (folder_ / "results").string();
    return simmim_run(words, environment);
  }
  Temporary folder_;
};

TEST_F(WrongLaunch, ProcessesThatNothingConnectsAreOneClearError) {
  const auto refuses = [&](const Process::Environment& environment, const std::string& text) {
    const Finished got = run(Words{"pretrain"} + tiny(), environment);
    EXPECT_EQ(got.code, 2) << got.err;
    EXPECT_NE(got.err.find(text), std::string::npos) << got.err;
    EXPECT_EQ(count(got.err, "\n"), 1) << got.err;
    EXPECT_FALSE(fs::exists(folder_ / "results"));
  };
  refuses({{"SLURM_NTASKS", "4"}}, "SLURM_NTASKS=4 says 4 processes, but nothing connects them on CPUs (srun without");
  refuses({{"SLURM_NTASKS", "4"}, {"SLURM_PROCID", "2"}, {"SLURM_STEP_NUM_TASKS", "4"}}, "srun --mpi=pmix -n 4");
  refuses({{"WORLD_SIZE", "2"}, {"RANK", "0"}, {"LOCAL_RANK", "0"}, {"MASTER_ADDR", "::1"}, {"MASTER_PORT", "1"}},
          "torchrun brings no MPI");
  if (has_mpi())
    refuses({{"OMPI_COMM_WORLD_SIZE", "3"}, {"OMPI_COMM_WORLD_RANK", "0"}}, "says 3 processes, but MPI finds 1");
}

TEST_F(WrongLaunch, WhatRunsAsOneProcessRefusesToBeSeveral) {
  for (const Words& words : {Words{"sweep", "demo"}, {"probe", "--from", "latest"}}) {
    const Finished got = run(words, {{"OMPI_COMM_WORLD_SIZE", "2"}, {"OMPI_COMM_WORLD_RANK", "0"}});
    EXPECT_EQ(got.code, 2) << got.err;
    EXPECT_NE(got.err.find("runs as one process, but mpirun started 2"), std::string::npos) << got.err;
  }
}

}  // namespace
}  // namespace simmim
