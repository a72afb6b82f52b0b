// A small sweep whose scheduler or worker is killed at its n-th write, sync, rename or cut: the same command afterwards
// ends with the same runs and the same bits, as if nothing had happened. Needs the engine and Fashion-MNIST.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <random>

#include "cli/kill_point.h"
#include "core/names.h"
#include "runs/database.h"
#include "runs/query.h"
#include "runs/run_folder.h"
#include "runs/sample_runs.h"

namespace simmim {
namespace {

using Words = std::vector<std::string>;

// What equal runs share; times, and what is measured in them, left out.
constexpr const char* kSameEverywhere[] = {
    "SELECT run, parent, kind, state, seed, method, encoder, mask, mask_patch, mask_ratio, head, target, "
    "target_resolution, loss, area, dataset, parameters, epochs, steps, images_seen, val_top1, test_top1, test_top5, "
    "best_epoch, train_loss, val_loss, gpus, skipped_steps, device, precision, host, git_commit, error, config "
    "FROM results ORDER BY run",
    "SELECT * FROM members ORDER BY sweep, cell, seed, stage", "SELECT * FROM cells",
    "SELECT run, key, step, epoch, value FROM curves WHERE key NOT IN ('images_per_second', 'data_wait') "
    "ORDER BY run, key, step"};

constexpr const char* kEverything[] = {"SELECT * FROM results ORDER BY run",
                                       "SELECT * FROM members ORDER BY sweep, cell, seed, stage",
                                       "SELECT * FROM cells",
                                       "SELECT * FROM curves ORDER BY run, key, step",
                                       "SELECT * FROM attempts ORDER BY run, attempt",
                                       "SELECT * FROM metric_summary ORDER BY run, key"};

class KillPoints : public testing::Test {
 protected:
  // Two fine-tunings of one pre-training: a few steps each, a checkpoint every second step.
  KillPoints() {
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    Json set = Json::object();
    for (const std::string& word : tiny()) {
      const auto [key, value] = parse_override(word);
      set[key] = value;
    }
    set.update(
        {{"pretrain.epochs", 1}, {"finetune.epochs", 1}, {"pretrain.save_steps", 2}, {"finetune.save_steps", 2}});
    const Json sweep = {{"set", set},
                        {"axes", {{{"grid", {{"finetune.lr", {1e-3, 2e-3}}}}}}},
                        {"seeds", 1},
                        {"resources", {{"threads", 1}}}};
    write_text(folder_.path / "s.json", sweep.dump());
  }
  Words words(const fs::path& out) {
    return {"sweep", (folder_.path / "s.json").string(), "--jobs", "2", "--out", out.string()};
  }

  static std::string text_of_views(const fs::path& out, const auto& statements) {
    std::string text;
    const Sqlite database = open_for_reading(out / "simmim.db", out);
    for (const char* sql : statements)
      for (const auto& row : query(database, sql).rows) {
        for (const Value& value : row) text += text_of(value) + "|";
        text += "\n";
      }
    return text;
  }

  static std::vector<fs::path> runs_of(const fs::path& out) {
    std::vector<fs::path> runs;
    std::error_code missing;
    for (const auto& entry : fs::directory_iterator(runs_folder(out), missing))
      if (!entry.path().filename().string().starts_with('.')) runs.push_back(entry.path());
    std::sort(runs.begin(), runs.end());
    return runs;
  }

  // Workers of a killed scheduler are on their way out, or in: one that was just started holds no lock yet. As orphans
  // they are this process's children.
  static void wait_for_orphans() {
    while (::waitpid(-1, nullptr, 0) > 0) {
    }
  }

  // No state that lies: nothing is running any more, and what is called done is whole.
  static void expect_true_states(const fs::path& out) {
    for (const auto& row : query(open_for_reading(out / "simmim.db", out), "SELECT run, state FROM results").rows)
      EXPECT_NE(text_of(row[1]), "running") << text_of(row[0]);
    for (const fs::path& run : runs_of(out)) {
      const std::string state = effective_state(run, read_record(run));
      EXPECT_NE(state, "running");
      EXPECT_NE(state, "failed");
      EXPECT_TRUE(state != "done" || fs::exists(run / "final.safetensors")) << run;
    }
  }

  static void expect_no_temporary_file(const fs::path& out) {
    ASSERT_EQ(simmim_run({"gc", "--yes", "--out", out.string()}).code, 0);
    for (const auto& entry : fs::recursive_directory_iterator(out))
      EXPECT_EQ(entry.path().filename().string().find(".tmp"), std::string::npos) << entry.path();
  }

  void expect_same(const fs::path& out, const fs::path& whole) {
    const auto runs = runs_of(out), all = runs_of(whole);
    ASSERT_EQ(runs.size(), all.size());
    for (size_t i = 0; i < runs.size(); ++i) {
      ASSERT_EQ(runs[i].filename(), all[i].filename());
      EXPECT_TRUE(read_file(runs[i] / "final.safetensors") == read_file(all[i] / "final.safetensors")) << runs[i];
      const Json attempts = read_record(runs[i])["attempts"];
      const auto done = std::count_if(attempts.begin(), attempts.end(),
                                      [](const Json& attempt) { return attempt["state"] == "done"; });
      EXPECT_EQ(done, 1) << runs[i];
      EXPECT_EQ(attempts.back()["state"], "done") << runs[i];
    }
    EXPECT_EQ(text_of_views(out, kSameEverywhere), text_of_views(whole, kSameEverywhere));
    const std::string before = text_of_views(out, kEverything);
    rebuild_database(out / "simmim.db", out);
    EXPECT_EQ(text_of_views(out, kEverything), before);
  }

  TemporaryFolder folder_;
};

TEST_F(KillPoints, OfASweepLoseNothingAndRunNothingTwice) {
  const fs::path whole = folder_.path / "whole";
  std::map<std::string, uint64_t> points;
  for (const char* role : {"leader", "others"}) {
    fs::remove_all(whole);
    const KillPoint counting(whole, 0, role);
    ASSERT_EQ(simmim_run(words(whole), counting.environment()).code, 0);
    points[role] = counting.count();
    ASSERT_GT(points[role], 50u);
  }
  std::mt19937_64 random(2026);
  int killed_workers = 0, killed_sweeps = 0;
  for (int i = 0; i < kill_points(); ++i) {
    const std::string role = i % 2 == 0 ? "leader" : "others";
    const uint64_t at = random() % points[role] + 1;
    SCOPED_TRACE(fmt::format("{} killed at {} of {}", role, at, points[role]));
    const fs::path out = folder_.path / "killed";
    const Finished killed = simmim_run(words(out), KillPoint(out, at, role).environment());
    ASSERT_TRUE(killed.code == 0 || killed.code == 128 + SIGKILL) << killed.code << killed.err;
    ++(killed.code == 0 ? killed_workers : killed_sweeps);  // of a killed worker the sweep takes the run up again
    wait_for_orphans();
    expect_true_states(out);
    const Finished again = simmim_run(words(out));
    ASSERT_EQ(again.code, 0) << again.err;
    expect_same(out, whole);
    expect_no_temporary_file(out);
    if (HasFailure()) break;
    fs::remove_all(out);
  }
  fmt::print("{} workers of {} and {} schedulers of {} writes, syncs, renames and cuts killed\n", killed_workers,
             points["others"], killed_sweeps, points["leader"]);
}

std::map<std::string, std::string> contents(const fs::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (const std::string name = entry.path().lexically_relative(folder);
        entry.is_regular_file() && entry.path().filename() != "lock" && name.find("simmim.db") == std::string::npos)
      files[name] = read_file(entry.path());
  return files;
}

TEST(Merge, KilledAnywhereLeavesWholeRunsAndTheSameCommandFinishes) {
  const TemporaryFolder folder;
  const fs::path theirs = folder.path / "theirs", before = folder.path / "before";
  const auto write = [](const fs::path& out, const std::string& id, double top1, const std::string& state) {
    const SampleRun run{.id = id, .summary = {{"val_top1", top1}}, .state = state};
    write_text(write_run(out, run) / "final.safetensors", std::to_string(top1));
  };
  for (const char* id : {"aa", "bb", "cc"}) write(theirs, id, 80, "done");  // new, another attempt, the finished one
  write(before, "bb", 79, "done");
  write(before, "cc", 10, "failed");
  write_plan(theirs, sample_plan("demo", Json::array()));
  const auto merge = [&](const fs::path& out, const Process::Environment& environment = {}) {
    return simmim_run({"db", "merge", theirs.string(), "--out", out.string()}, environment).code;
  };
  const fs::path whole = folder.path / "whole";
  fs::copy(before, whole, fs::copy_options::recursive);
  const KillPoint counting(whole, 0);
  ASSERT_EQ(merge(whole, counting.environment()), 0);
  const auto expected = contents(whole);
  const uint64_t points = counting.count();
  EXPECT_GT(points, 50u);
  for (uint64_t at = 1; at <= points; at += 3) {
    SCOPED_TRACE(fmt::format("killed at {} of {}", at, points));
    const fs::path out = folder.path / "out";
    fs::copy(before, out, fs::copy_options::recursive);
    EXPECT_EQ(merge(out, KillPoint(out, at).environment()), 128 + SIGKILL);
    for (const char* id : {"aa", "bb", "cc"}) {
      const fs::path run = run_path(out, id);
      if (!fs::exists(run)) continue;
      const Json record = read_record(run);
      EXPECT_EQ(read_file(run / "final.safetensors"), std::to_string(record["summary"].value("val_top1", 0.0))) << id;
      EXPECT_TRUE(fs::exists(run / "metrics.jsonl"));
    }
    EXPECT_EQ(merge(out), 0);
    EXPECT_EQ(simmim_run({"gc", "--yes", "--out", out.string()}).code, 0);
    EXPECT_EQ(contents(out), expected);
    fs::remove_all(out);
    if (::testing::Test::HasFailure()) break;
  }
}

}  // namespace
}  // namespace simmim
