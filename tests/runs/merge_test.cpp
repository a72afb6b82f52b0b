#include "runs/merge.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "runs/database.h"
#include "runs/ingest.h"
#include "runs/query.h"
#include "runs/sample_runs.h"

namespace simmim {
namespace {

// Two results folders, ours and a colleague's.
struct Two {
  TemporaryFolder folder;
  fs::path ours = folder.path / "ours", theirs = folder.path / "theirs", database = ours / "simmim.db";
  Two() {
    make_folder(runs_folder(ours));
    make_folder(runs_folder(theirs));
  }
  static void write(const fs::path& out, const std::string& id, double top1, const std::string& state = "done") {
    const fs::path run = write_run(out, {.id = id,
                                         .kind = "finetune",
                                         .config = finetune_config(0, "scratch"),
                                         .summary = {{"val_top1", top1}, {"seconds", top1 * 10}},
                                         .state = state});
    if (state == "done") write_text(run / "final.safetensors", "weights of " + std::to_string(top1));
  }
  Json merge() { return merge_results(theirs, ours); }
  Json shown(const std::string& id) {
    EXPECT_EQ(ingest_run(database, run_path(ours, id)), "");
    return describe_run(open_for_reading(database, ours), ours, id);
  }
};

std::map<std::string, std::string> contents(const fs::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file() && entry.path().filename() != ".lock" && entry.path().filename() != "lock")
      files[entry.path().lexically_relative(folder)] = read_file(entry.path());
  return files;
}

TEST(Merge, CopiesWhatIsNotHereAndTheSecondTimeNothing) {
  Two two;
  Two::write(two.theirs, "aa", 80);
  write_text(run_path(two.theirs, "aa") / "crash/step-1.json", "{}");
  EXPECT_EQ(two.merge()["taken_over"], 1);
  const auto copied = contents(two.ours);
  EXPECT_EQ(copied, contents(two.theirs));
  const Json again = two.merge();
  EXPECT_EQ(again["taken_over"], 0);
  EXPECT_EQ(again["already_here"], 1);
  EXPECT_EQ(contents(two.ours), copied);
}

TEST(Merge, KeepsASecondAttemptBesideOursAndShowReportsTheDifference) {
  Two two;
  Two::write(two.ours, "aa", 80);
  Two::write(two.theirs, "aa", 81.5);
  const auto before = contents(run_path(two.ours, "aa"));
  const Json report = two.merge();
  EXPECT_EQ(report["copies"], 1);
  EXPECT_EQ(report["differences"],
            Json::parse(R"([{"key": "val_top1", "here": 80.0, "there": 81.5, "difference": 1.5, "run": "aa"}])"));
  for (const auto& [name, bytes] : before) EXPECT_EQ(read_file(run_path(two.ours, "aa") / name), bytes) << name;
  const Json run = two.shown("aa");
  EXPECT_EQ(run["run"]["val_top1"], 80.0);  // ours stays the result
  ASSERT_EQ(run["copies"].size(), 1u);
  EXPECT_EQ(run["differences"][0]["key"], "val_top1");
  EXPECT_EQ(run["differences"][0]["difference"], 1.5);
  EXPECT_EQ(run["copies"][0]["same_weights"], false);
  ASSERT_EQ(run["attempts"].size(), 2u);
  EXPECT_TRUE(run["attempts"][0]["copy"].is_null());
  EXPECT_EQ(run["attempts"][1]["copy"], run["copies"][0]["copy"]);
  EXPECT_EQ(two.merge()["already_here"], 1);
  fs::remove_all(run_path(two.theirs, "aa"));
  Two::write(two.theirs, "aa", 79);  // and a third
  EXPECT_EQ(two.merge()["copies"], 1);
  EXPECT_EQ(two.shown("aa")["attempts"].size(), 3u);
}

TEST(Merge, OfTheSameResultKeepsOneWhateverTimeItTook) {
  Two two;
  Two::write(two.ours, "aa", 80);
  Two::write(two.theirs, "aa", 80);
  Json slower = read_record(run_path(two.theirs, "aa"));
  slower["summary"]["seconds"] = 1e6;
  write_text(run_path(two.theirs, "aa") / "run.json", slower.dump());
  EXPECT_EQ(two.merge()["already_here"], 1);
  EXPECT_FALSE(fs::exists(run_path(two.ours, "aa") / "copies"));
}

TEST(Merge, PutsAFinishedRunInThePlaceOfAnUnfinishedOneAndKeepsThat) {
  Two two;
  Two::write(two.ours, "aa", 10, "failed");
  ASSERT_EQ(ingest_changes(two.database, two.ours), "");
  Two::write(two.theirs, "aa", 81.5);
  write_text(run_path(two.theirs, "aa") / "metrics.jsonl",
             "{\"step\": 1, \"loss\": 7}\n" + std::string(1000, ' ') + "\n{\"step\": 2, \"loss\": 6}\n");
  Two::write(two.ours, "bb", 80);
  Two::write(two.theirs, "bb", 10, "interrupted");
  make_folder(run_path(two.ours, "cc"));  // claimed, never begun
  Two::write(two.theirs, "cc", 82);
  const Json report = two.merge();
  EXPECT_EQ(report["replaced"], 1);
  EXPECT_EQ(report["copies"], 1);
  EXPECT_EQ(report["taken_over"], 1);
  EXPECT_EQ(two.shown("aa")["run"]["state"], "done");
  EXPECT_EQ(two.shown("aa")["metrics"][0]["first"], 7.0);
  EXPECT_EQ(two.shown("aa")["copies"][0]["state"], "failed");
  EXPECT_EQ(two.shown("bb")["run"]["val_top1"], 80.0);
  EXPECT_EQ(two.shown("bb")["copies"][0]["state"], "interrupted");
  EXPECT_EQ(two.shown("cc")["run"]["val_top1"], 82.0);
}

TEST(Merge, LeavesRunsAloneThatSomebodyHolds) {
  Two two;
  Two::write(two.theirs, "aa", 80);
  Two::write(two.ours, "bb", 10, "interrupted");
  Two::write(two.theirs, "bb", 80);
  const auto here = RunFolder::claim(two.ours, "bb"), there = RunFolder::claim(two.theirs, "aa");
  EXPECT_EQ(two.merge()["still_running"], 2);
  EXPECT_FALSE(fs::exists(run_path(two.ours, "aa")));
  EXPECT_EQ(read_record(run_path(two.ours, "bb"))["state"], "interrupted");
}

TEST(Merge, GivesASweepOfTheSameNameAnotherOneUnlessItIsTheSame) {
  Two two;
  const auto plan = [](double patch) {
    return sample_plan("demo", Json::array({sample_cell("a", {{"mask.patch", patch}}, Json::array())}));
  };
  write_plan(two.ours, plan(4));
  write_plan(two.theirs, plan(4));
  EXPECT_EQ(two.merge()["sweeps"], Json::array());
  Json theirs = plan(8);
  theirs["revision"] = 2;
  write_plan(two.theirs, theirs);
  EXPECT_EQ(two.merge()["sweeps"], Json::array({"demo-merged"}));
  EXPECT_EQ((*read_plan(two.ours, "demo-merged"))["name"], "demo-merged");
  EXPECT_EQ((*read_plan(two.ours, "demo"))["revision"], 1);
  EXPECT_EQ(two.merge()["sweeps"], Json::array());
  EXPECT_EQ(sweep_names(two.ours), (std::vector<std::string>{"demo", "demo-merged"}));
}

// In a child that has given up root, for whom no folder is read-only.
TEST(Merge, OfAReadOnlyFolderGivesFoldersThatCanBeWrittenTo) {
  Two two;
  Two::write(two.theirs, "aa", 80);
  for (const auto& entry : fs::recursive_directory_iterator(two.theirs))
    ::chmod(entry.path().c_str(), entry.is_directory() ? 0555 : 0444);
  ::chmod(two.theirs.c_str(), 0555);
  const auto before = contents(two.theirs);
  ::chmod(two.folder.path.c_str(), 0777);
  ::chmod(two.ours.c_str(), 0777);
  ::chmod(runs_folder(two.ours).c_str(), 0777);
  const pid_t child = fork();
  if (child == 0) {
    if (::getuid() == 0 && ::setuid(65534) != 0) _exit(9);
    try {
      if (two.merge()["taken_over"] != 1) _exit(1);
      auto run = RunFolder::claim(two.ours, "aa");
      run->replace_record(run->record());
      _exit(read_file(run->file("final.safetensors")).empty() ? 2 : 0);
    } catch (const std::exception&) {
      _exit(3);
    }
  }
  int status = -1;
  waitpid(child, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_EQ(contents(two.theirs), before);
  for (const auto& entry : fs::recursive_directory_iterator(two.theirs))
    if (entry.is_directory()) ::chmod(entry.path().c_str(), 0755);
  ::chmod(two.theirs.c_str(), 0755);
}

TEST(Merge, RefusesWhatIsNoResultsFolderOrThisOne) {
  Two two;
  EXPECT_THROW(merge_results(two.folder.path / "none", two.ours), Error);
  EXPECT_THROW(merge_results(two.ours, two.ours), Error);
}

}  // namespace
}  // namespace simmim
