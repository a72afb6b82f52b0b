#include "sweep/slurm.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "core/process.h"
#include "runs/run_folder.h"
#include "sweep/slurm_queue.h"
#include "temporary.h"

namespace simmim {
namespace {

using Rows = std::map<int64_t, std::string>;
constexpr int64_t kAny = 1001;

// A plan of runs: {id, parent} with "" for a pre-training.
Json plan_of(const std::vector<std::pair<std::string, std::string>>& runs) {
  Json plan = {{"name", "s"}, {"revision", 2}, {"threads", 3}, {"runs", Json::object()}};
  for (const auto& [id, parent] : runs)
    plan["runs"][id] = {{"kind", parent.empty() ? "pretrain" : "finetune"},
                        {"parent", parent.empty() ? Json() : Json(parent)}};
  return plan;
}

std::vector<std::string> ids(const Json& plan) {
  std::vector<std::string> runs;
  for (const auto& [id, entry] : plan["runs"].items()) runs.push_back(id);
  return runs;
}

TEST(SlurmArrays, OneChildEachFollowsItsParentIndexByIndex) {
  const Json plan = plan_of({{"a", ""}, {"a1", "a"}, {"b", ""}, {"b1", "b"}});
  const auto arrays = slurm_arrays(plan, ids(plan), {}, kAny);
  ASSERT_EQ(arrays.size(), 2u);
  EXPECT_EQ(arrays[0].rows, (Rows{{0, "a"}, {1, "b"}}));
  EXPECT_EQ(slurm_dependency(arrays[0], {}), "");
  EXPECT_EQ(arrays[1].rows, (Rows{{0, "a1"}, {1, "b1"}}));
  EXPECT_EQ(slurm_dependency(arrays[1], {{"pretrain", "12"}}), "aftercorr:12");
}

TEST(SlurmArrays, ChildrenOfASharedParentFollowItsElement) {
  const Json plan = plan_of({{"a", ""}, {"b", ""}, {"b1", "b"}, {"b2", "b"}, {"b3", "b"}});
  const auto arrays = slurm_arrays(plan, ids(plan), {}, kAny);
  ASSERT_EQ(arrays.size(), 2u);
  EXPECT_EQ(arrays[1].rows, (Rows{{0, "b1"}, {1, "b2"}, {2, "b3"}}));
  EXPECT_EQ(slurm_dependency(arrays[1], {{"pretrain", "12"}}), "afterok:12_1");
}

TEST(SlurmArrays, TwoChildrenOfManyParentsAreTwoArraysIndexByIndex) {
  const Json plan = plan_of({{"a", ""}, {"b", ""}, {"c", ""}, {"a1", "a"}, {"c1", "c"}, {"c2", "c"}, {"a2", "a"}});
  const auto arrays = slurm_arrays(plan, ids(plan), {}, kAny);
  ASSERT_EQ(arrays.size(), 3u);
  EXPECT_EQ(arrays[1].rows, (Rows{{0, "a1"}, {2, "c1"}}));
  EXPECT_EQ(arrays[2].rows, (Rows{{0, "a2"}, {2, "c2"}}));
  EXPECT_EQ(arrays[2].name, "finetune-2");
  for (const size_t child : {1u, 2u}) EXPECT_EQ(slurm_dependency(arrays[child], {{"pretrain", "7"}}), "aftercorr:7");
}

TEST(SlurmArrays, ParentThatIsDoneIsNotWaitedForAndOneInTheQueueIs) {
  const Json plan = plan_of({{"a", ""}, {"b", ""}, {"a1", "a"}, {"b1", "b"}});
  const auto arrays = slurm_arrays(plan, {"a1", "b1"}, {{"b", {"99", 4}}}, kAny);
  ASSERT_EQ(arrays.size(), 2u);
  EXPECT_EQ(arrays[0].rows, (Rows{{0, "a1"}}));
  EXPECT_EQ(slurm_dependency(arrays[0], {}), "");
  EXPECT_EQ(arrays[1].rows, (Rows{{4, "b1"}}));
  EXPECT_EQ(slurm_dependency(arrays[1], {}), "aftercorr:99");
}

TEST(SlurmArrays, AreNoLongerThanTheClusterTakes) {
  const Json plan = plan_of({{"a", ""}, {"b", ""}, {"c", ""}, {"a1", "a"}, {"b1", "b"}, {"c1", "c"}});
  const auto arrays = slurm_arrays(plan, ids(plan), {}, 2);
  ASSERT_EQ(arrays.size(), 4u);
  EXPECT_EQ(arrays[1].name, "pretrain-2");
  EXPECT_EQ(arrays[1].rows, (Rows{{0, "c"}}));
  EXPECT_EQ(slurm_dependency(arrays[3], {{"pretrain-2", "8"}}), "aftercorr:8");
  const Json shared = plan_of({{"a", ""}, {"a1", "a"}, {"a2", "a"}, {"a3", "a"}});
  const auto pieces = slurm_arrays(shared, ids(shared), {}, 2);
  ASSERT_EQ(pieces.size(), 3u);
  EXPECT_EQ(pieces[2].rows, (Rows{{0, "a3"}}));
  EXPECT_EQ(slurm_dependency(pieces[2], {{"pretrain", "8"}}), "afterok:8_0");
}

TEST(SlurmArrays, FollowGenerationAfterGeneration) {
  const Json plan = plan_of({{"a", ""}, {"a1", "a"}, {"a2", "a1"}});
  const auto arrays = slurm_arrays(plan, ids(plan), {}, kAny);
  ASSERT_EQ(arrays.size(), 3u);
  EXPECT_EQ(slurm_dependency(arrays[2], {{"pretrain", "1"}, {"finetune", "2"}}), "aftercorr:2");
}

std::string script_of(const SlurmResources& resources, const std::string& folder = "/out/slurm/1") {
  const SlurmArray array{.name = "pretrain", .rows = {{0, "a"}, {1, "b"}, {2, "c"}, {5, "d"}}};
  return slurm_script(plan_of({{"a", ""}}), array, resources,
                      {.folder = folder,
                       .plan_file = "/out/plan-2.json",
                       .out = "/out",
                       .database = "/out/simmim.db",
                       .program = "/bin/simmim",
                       .start_folder = "/home/me",
                       .at_once = 2});
}

TEST(SlurmScript, SaysWhatTheRunsNeedAndSurvivesPreemption) {
  const std::string script =
      script_of({.partition = "gpu", .account = "vis", .memory = "16G", .gpus = 1, .hours = 8, .options = {"--nice"}});
  for (const char* line :
       {"--job-name=s-pretrain", "--array=0-2,5%2", "--partition=gpu", "--account=vis", "--mem=16G", "--gres=gpu:1",
        "--time=480", "--cpus-per-task=3", "--requeue", "--open-mode=append", "--signal=B:USR2@120", "--nice",
        "--kill-on-invalid-dep=yes", "--chdir=/home/me", "--output=/out/slurm/1/pretrain-%a.log"})
    EXPECT_NE(script.find(std::string("\n#SBATCH ") + line + "\n"), std::string::npos) << line << "\n" << script;
  EXPECT_TRUE(
      script.ends_with("\nexec /bin/simmim worker --plan /out/plan-2.json --rows /out/slurm/1/pretrain.rows "
                       "--out /out --db /out/simmim.db\n"))
      << script;
}

TEST(SlurmScript, LeavesToTheClusterWhatNobodySaid) {
  const std::string script = script_of({});
  for (const char* option : {"--partition", "--account", "--qos", "--constraint", "--mem", "--gres", "--time"})
    EXPECT_EQ(script.find(option), std::string::npos) << option;
}

TEST(SlurmScript, WarnsAtHalfOfAShortTimeLimit) {
  EXPECT_NE(script_of({.hours = 1.0 / 60}).find("--signal=B:USR2@30\n"), std::string::npos);
}

TEST(SlurmScript, KeepsPathsWithBlanksInOnePiece) {
  Temporary folder;
  make_folder(folder / "two words");
  const std::string script = script_of({}, (folder / "two words").string());
  const fs::path file = folder.write("job.sh", script);
  EXPECT_EQ(run_command({"bash", "-n", file.string()}).code, 0);
  EXPECT_NE(script.find("'" + (folder / "two words").string() + "/pretrain.rows'"), std::string::npos) << script;
}

TEST(SlurmResources, OfTheSweepStandAboveThoseOfTheSite) {
  const SlurmResources resources =
      read_slurm_resources({{"partition", "cpu"}, {"account", "vis"}}, {{"partition", "gpu"}, {"threads", 8}});
  EXPECT_EQ(resources.partition, "gpu");
  EXPECT_EQ(resources.account, "vis");
  EXPECT_EQ(resources.threads, 8);
  EXPECT_NE(error_of(Code::usage,
                     [] {
                       read_slurm_resources({{"partitio", "x"}}, Json::object());
                     })
                .find("site.json: slurm.partitio: unknown key; did you mean 'partition'?"),
            std::string::npos);
  EXPECT_NE(error_of(Code::usage,
                     [] {
                       read_slurm_resources(Json::object(), {{"hours", -1}});
                     })
                .find("resources.hours"),
            std::string::npos);
}

TEST(SlurmRows, AreReadBackAsTheyWereWritten) {
  Temporary folder;
  const SlurmArray array{.name = "x", .rows = {{0, "a"}, {7, "b"}}};
  EXPECT_EQ(read_slurm_rows(folder.write("x.rows", slurm_rows(array))), array.rows);
}

// Slurm's commands are shell scripts here, first on the PATH: what they answer in good and bad times. That the real
// ones do so is shown by tests/scripts/slurm_test.py.
class SlurmQueue : public testing::Test {
 protected:
  SlurmQueue() {
    make_folder(folder_ / "bin");
    setenv("PATH", ((folder_ / "bin").string() + ":" + before_).c_str(), 1);
    command("sbatch", "echo \"$@\" >> " + (folder_ / "asked").string() + "; echo $((10 + $(wc -l < " +
                          (folder_ / "asked").string() + ")))");
  }
  ~SlurmQueue() override { setenv("PATH", before_.c_str(), 1); }

  void command(const std::string& name, const std::string& body) {
    const fs::path file = folder_.write("bin/" + name, "#!/bin/sh\n" + body + "\n");
    fs::permissions(file, fs::perms::owner_all);
  }
  std::vector<SubmittedArray> submit() {
    const Json plan = plan_of({{"a", ""}, {"a1", "a"}});
    return submit_arrays(slurm_arrays(plan, ids(plan), {}, kAny), next_submission(folder_ / "slurm"),
                         [](const SlurmArray& array) { return "script of " + array.name; });
  }

  const std::string before_ = std::getenv("PATH");
  Temporary folder_;
};

TEST_F(SlurmQueue, SubmitsParentsFirstAndKnowsItsJobsAgain) {
  const auto submitted = submit();
  ASSERT_EQ(submitted.size(), 2u);
  EXPECT_EQ(submitted[1].job, "12");
  const std::string first = (folder_ / "slurm/1").string();
  EXPECT_EQ(read_file(folder_ / "asked"),
            "--parsable " + first + "/pretrain.sh\n--parsable --dependency=aftercorr:11 " + first + "/finetune.sh\n");
  EXPECT_EQ(read_file(folder_ / "slurm/1/finetune.sh"), "script of finetune");
  command("squeue", "printf '12_0\\n12_1\\n77_0\\n'");
  const auto queued = queued_runs(folder_ / "slurm");
  ASSERT_EQ(queued.size(), 1u);
  EXPECT_EQ(queued.at("a1").text(), "12_0");
  EXPECT_EQ(next_submission(folder_ / "slurm"), folder_ / "slurm/2");
}

TEST_F(SlurmQueue, RepeatsWhatSbatchSaysAndKeepsWhatItTook) {
  command("sbatch", "case \"$*\" in *finetune*) echo 'sbatch: error: invalid account' >&2; exit 1 ;; esac; echo 11");
  const std::string message = error_of(Code::run_failed, [&] { submit(); });
  for (const char* part : {"slurm/1/finetune.sh", "sbatch: error: invalid account", "1 arrays are submitted and stay"})
    EXPECT_NE(message.find(part), std::string::npos) << message;
  command("squeue", "echo 11_0");
  EXPECT_TRUE(queued_runs(folder_ / "slurm").contains("a"));
}

TEST_F(SlurmQueue, SaysThatThereIsNoSlurmHere) {
  setenv("PATH", (folder_ / "nowhere").c_str(), 1);
  EXPECT_NE(error_of(Code::usage, [&] { submit(); }).find("sbatch: not found on this machine"), std::string::npos);
  EXPECT_TRUE(queued_runs(folder_ / "slurm").empty());
  EXPECT_EQ(max_array_size(), 1001);
}

TEST_F(SlurmQueue, DoesNotTakeSilenceForAnEmptyQueue) {
  submit();
  command("squeue", "echo 'slurm_load_jobs error: Unable to contact slurm controller' >&2; exit 1");
  EXPECT_NE(error_of(Code::run_failed, [&] { queued_runs(folder_ / "slurm"); }).find("Unable to contact"),
            std::string::npos);
}

TEST_F(SlurmQueue, AsksHowLongAnArrayMayBe) {
  command("scontrol", "printf 'MailProg = x\\nMaxArraySize            = 51\\nMaxDBDMsgs = 20\\n'");
  EXPECT_EQ(max_array_size(), 51);
}

}  // namespace
}  // namespace simmim
