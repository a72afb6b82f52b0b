// The sweep under Slurm as far as it goes without one: squeue and scontrol are shell scripts that tell what they were
// asked. tests/scripts/slurm_test.py does the same with a real one.
#include <gtest/gtest.h>
#include <signal.h>

#include <cstdlib>

#include "cli/process.h"
#include "core/names.h"
#include "runs/run_folder.h"
#include "temporary.h"

namespace simmim {
namespace {

using Words = std::vector<std::string>;

class Slurm : public testing::Test {
 protected:
  Slurm() {
    write_sweep(2);
    make_folder(folder_ / "bin");
    command("sbatch", "echo 12");
    command("squeue", "echo RUNNING None");
    command("scontrol", "echo \"$@\" > " + (folder_ / "asked").string());
  }

  // One pre-training; 100 epochs give time to interrupt it.
  void write_sweep(int epochs) {
    Json set = Json::object();
    for (const std::string& word : tiny()) {
      const auto [key, value] = parse_override(word);
      set[key] = value;
    }
    set["pretrain.epochs"] = epochs;
    folder_.write("s.json", Json({{"set", set}, {"stages", {"pretrain"}}, {"resources", {{"threads", 1}}}}).dump());
  }

  void command(const std::string& name, const std::string& body) {
    fs::permissions(folder_.write("bin/" + name, "#!/bin/sh\n" + body + "\n"), fs::perms::owner_all);
  }
  Process::Environment environment() const {
    return {{"PATH", (folder_ / "bin").string() + ":" + std::getenv("PATH")},
            {"XDG_CONFIG_HOME", (folder_ / "config").string()},
            {"SLURM_ARRAY_JOB_ID", "12"},
            {"SLURM_ARRAY_TASK_ID", "0"}};
  }
  Words sweep(const std::string& out) const {
    return {"sweep", (folder_ / "s.json").string(), "--out", (folder_ / out).string()};
  }
  // Submits the sweep; the words by which Slurm starts its run.
  Words submitted_worker() {
    const Finished got = simmim_run(sweep("results") + Words{"--executor", "slurm", "--json"}, environment());
    EXPECT_EQ(got.code, 0) << got.err;
    run_ = got.json()["submitted"][0];
    fs::remove(folder_ / "asked");  // how long an array may be
    const fs::path results = folder_ / "results";
    return {"worker",
            "--plan",
            results / "sweeps/s/plan-1.json",
            "--rows",
            results / "sweeps/s/slurm/1/pretrain.rows",
            "--out",
            results,
            "--db",
            results / "simmim.db"};
  }
  Json record() const { return read_record(folder_ / "results/runs" / run_); }

  Temporary folder_;
  std::string run_;
};

TEST_F(Slurm, RunThatIsToldToSaveGoesBackIntoTheQueueAndEndsWithTheSameBits) {
  write_sweep(100);
  const Words words = submitted_worker();
  for (const int number : {SIGUSR2, SIGTERM}) {
    Process process(words, environment());
    const fs::path journal = folder_ / "results/runs" / run_ / "metrics.jsonl";
    const auto size = [&] { return fs::exists(journal) ? fs::file_size(journal) : 0; };
    for (const auto before = size(); size() <= before;) usleep(1000);  // it is at work
    process.signal(number);
    EXPECT_EQ(process.finish().code, 0);
    EXPECT_EQ(record()["state"], "interrupted");
    EXPECT_EQ(read_file(folder_ / "asked"), "requeue 12_0\n");
    fs::remove(folder_ / "asked");
  }
  EXPECT_EQ(simmim_run(words, environment()).code, 0);
  EXPECT_FALSE(fs::exists(folder_ / "asked"));
  EXPECT_EQ(record()["attempts"].size(), 3u);
  EXPECT_EQ(simmim_run(sweep("whole")).code, 0);
  EXPECT_EQ(read_file(folder_ / "results/runs" / run_ / "final.safetensors"),
            read_file(folder_ / "whole/runs" / run_ / "final.safetensors"));
}

TEST_F(Slurm, RunThatAPersonCancelledStaysOutOfTheQueue) {
  write_sweep(100);
  command("squeue", "echo COMPLETING None");
  const Words words = submitted_worker();
  Process process(words, environment());
  while (record().value("state", "") != "running") usleep(1000);
  process.signal(SIGTERM);
  EXPECT_EQ(process.finish().code, 0);
  EXPECT_EQ(record()["state"], "interrupted");
  EXPECT_FALSE(fs::exists(folder_ / "asked"));
}

TEST_F(Slurm, RunThatSlurmDoesNotTakeBackSaysSoAndIsNoSuccess) {
  write_sweep(100);
  command("scontrol", "echo 'Requested operation is presently disabled' >&2; exit 1");
  const Words words = submitted_worker();
  Process process(words, environment());
  while (record().value("state", "") != "running") usleep(1000);
  process.signal(SIGUSR2);
  EXPECT_EQ(process.finish().code, 4);
  EXPECT_NE(read_file(folder_ / "results/runs" / run_ / "log.txt").find("Requested operation is presently disabled"),
            std::string::npos);
}

TEST_F(Slurm, RunInTheHandsOfAnotherProcessIsWaitedFor) {
  const Words words = submitted_worker();
  auto held = RunFolder::claim(folder_ / "results", run_);
  Process process(words, environment());
  while (!fs::exists(folder_ / "results/runs" / run_ / "log.txt")) usleep(1000);
  EXPECT_EQ(record(), Json::object());  // it waits
  held.reset();
  EXPECT_EQ(process.finish().code, 0);
  EXPECT_EQ(record()["state"], "done");
}

TEST_F(Slurm, StatusSaysHowManyRunsAreInTheQueue) {
  submitted_worker();
  const Words status = {"status", "s", "--out", (folder_ / "results").string()};
  command("squeue", "echo 12_0");
  EXPECT_EQ(simmim_run(status, environment()).out, "s: 1 waiting of 1 runs, 1 in Slurm's queue\n");
  EXPECT_EQ(simmim_run(status + Words{"--json"}, environment()).json()["sweeps"][0]["queued"], 1);
  command("squeue", "exit 0");
  EXPECT_EQ(simmim_run(status, environment()).out, "s: 1 waiting of 1 runs, 0 in Slurm's queue\n");
}

TEST_F(Slurm, StatusDoesNotAskForTheQueueOfASweepThatIsDone) {
  const Words words = submitted_worker();
  ASSERT_EQ(simmim_run(words, environment()).code, 0);
  command("squeue", "touch " + (folder_ / "asked").string());
  EXPECT_EQ(simmim_run({"status", "--out", (folder_ / "results").string()}, environment()).out,
            "s: 1 done of 1 runs\n");
  EXPECT_FALSE(fs::exists(folder_ / "asked"));
}

TEST_F(Slurm, RunThatCannotBeginIsRecordedAsFailed) {
  const Words words = submitted_worker();
  Json plan = read_json_file(words[2]);
  plan["runs"][run_].erase("config");
  write_file_atomically(words[2], plan.dump());
  EXPECT_NE(simmim_run(words, environment()).code, 0);
  EXPECT_EQ(record()["state"], "failed");
  EXPECT_EQ(record()["attempts"].size(), 1u);
}

TEST_F(Slurm, DryRunPrintsTheScriptsWithTheResourcesOfSiteSweepAndFileAndMakesNothing) {
  make_folder(folder_ / "config/simmim");
  folder_.write("config/simmim/site.json", R"({"slurm": {"partition": "cpu", "account": "vis"}})");
  folder_.write("night.json", R"({"partition": "night", "hours": 2})");
  const Words words = sweep("results") + Words{"--executor", "slurm", "--dry-run", "--jobs", "5"};
  const std::string plain = simmim_run(words, environment()).out;
  for (const char* part : {"# sbatch --parsable pretrain.sh\n#!/bin/bash\n", "--partition=cpu\n", "--account=vis\n",
                           "--array=0%5\n", "--cpus-per-task=1\n"})
    EXPECT_NE(plain.find(part), std::string::npos) << plain;
  const Finished got = simmim_run(words + Words{"--resources", (folder_ / "night.json").string()}, environment());
  for (const char* part : {"--partition=night\n", "--account=vis\n", "--time=120\n"})
    EXPECT_NE(got.out.find(part), std::string::npos) << got.out;
  EXPECT_FALSE(fs::exists(folder_ / "results"));
}

TEST_F(Slurm, WrongResourcesAreNamedBeforeAnythingStarts) {
  folder_.write("bad.json", R"({"partitoin": "night"})");
  folder_.write("list.json", "[1]");
  const Words words = sweep("results") + Words{"--executor", "slurm", "--resources"};
  const Finished typo = simmim_run(words + Words{(folder_ / "bad.json").string()}, environment());
  EXPECT_EQ(typo.code, 2);
  EXPECT_NE(typo.err.find("bad.json.partitoin: unknown key; did you mean 'partition'?"), std::string::npos) << typo.err;
  const Finished list = simmim_run(words + Words{(folder_ / "list.json").string()}, environment());
  EXPECT_EQ(list.code, 2);
  EXPECT_NE(list.err.find("list.json: got [1]; allowed: an object"), std::string::npos) << list.err;
  EXPECT_FALSE(fs::exists(folder_ / "results"));
}

}  // namespace
}  // namespace simmim
