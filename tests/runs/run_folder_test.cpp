#include "runs/run_folder.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include "core/error.h"
#include "runs/sample_runs.h"
#include "temporary.h"

namespace simmim {
namespace {

TEST(RunFolder, IsHeldByOneProcessOnly) {
  TemporaryFolder out;
  auto held = RunFolder::claim(out.path, "aa");
  ASSERT_TRUE(held);
  EXPECT_FALSE(RunFolder::claim(out.path, "aa"));
  EXPECT_TRUE(RunFolder::claim(out.path, "bb"));
  held.reset();
  EXPECT_TRUE(RunFolder::claim(out.path, "aa"));
}

TEST(RunFolder, OfAKilledProcessReadsAsLostAtOnceAndKeepsItsJournal) {
  TemporaryFolder out;
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t child = fork();
  if (child == 0) {
    auto folder = RunFolder::claim(out.path, "aa");
    folder->begin_attempt("pretrain", "", 3, {{"device", "cpu"}});
    folder->open_journal(0).append({{"step", 1}, {"seconds", 2.5}, {"loss", 0.5}});
    [[maybe_unused]] const auto told = write(ready[1], "x", 1);
    pause();
    _exit(0);
  }
  char token;
  ASSERT_EQ(read(ready[0], &token, 1), 1);
  const fs::path folder = run_path(out.path, "aa");
  EXPECT_EQ(effective_state(folder, read_record(folder)), "running");
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  EXPECT_EQ(effective_state(folder, read_record(folder)), "lost");

  auto next = RunFolder::claim(out.path, "aa");
  ASSERT_TRUE(next);
  next->begin_attempt("pretrain", "", 3, {});
  const Json attempts = next->record()["attempts"];
  ASSERT_EQ(attempts.size(), 2u);
  EXPECT_EQ(attempts[0]["state"], "lost");
  EXPECT_EQ(attempts[0]["seconds"], 2.5);
  next->end_attempt("done");
  EXPECT_EQ(effective_state(folder, read_record(folder)), "done");
}

TEST(RunFolder, WithoutARecordIsWaiting) {
  TemporaryFolder out;
  EXPECT_EQ(effective_state(run_path(out.path, "aa"), read_record(run_path(out.path, "aa"))), "waiting");
}

TEST(RunFolder, OnAnotherHostIsLostOnlyAfterALongSilence) {
  TemporaryFolder out;
  const fs::path folder = run_path(out.path, "aa");
  write_text(folder / "lock", "");
  const Json record = {{"state", "running"}, {"attempts", {{{"host", "another-host"}}}}};
  EXPECT_EQ(effective_state(folder, record), "running");
  fs::last_write_time(folder / "lock", fs::file_time_type::clock::now() - std::chrono::hours(1));
  EXPECT_EQ(effective_state(folder, record), "lost");
}

TEST(Journal, KeepsWholeLinesOnlyAndCutsToWhatTheCheckpointCountsOn) {
  TemporaryFolder folder;
  const fs::path path = folder.path / "metrics.jsonl";
  uint64_t after_two;
  {
    Journal journal(path, 0);
    journal.append({{"step", 1}, {"loss", 0.5}});
    journal.append({{"step", 2}, {"loss", std::nan("")}});
    after_two = journal.bytes();
    journal.append({{"step", 3}, {"loss", 0.25}});
  }
  EXPECT_EQ(read_file(path).substr(0, after_two), "{\"step\":1,\"loss\":0.5}\n{\"step\":2,\"loss\":null}\n");
  std::ofstream(path, std::ios::app) << "{\"step\":4,\"lo";  // what a kill in mid-write leaves
  const uint64_t kept = Journal(path).bytes();
  EXPECT_EQ(kept, fs::file_size(path));
  EXPECT_EQ(read_file(path).substr(after_two), "{\"step\":3,\"loss\":0.25}\n");
  Journal resumed(path, after_two);
  resumed.append({{"step", 3}, {"loss", 0.125}});
  EXPECT_EQ(read_file(path).substr(after_two), "{\"step\":3,\"loss\":0.125}\n");
  EXPECT_NE(error_of(Code::data, [&] { Journal(path, 100000); }).find("--fresh"), std::string::npos);
}

TEST(Journal, OnAFullDiskTakesTheLineBackAndGoesOnOnceThereIsRoom) {
  TemporaryFolder folder;
  const fs::path path = folder.path / "metrics.jsonl";
  const Json line = {{"step", 1}, {"loss", 0.5}};
  EXPECT_TRUE(in_child([&] {
    Journal journal(path, 0);
    limit_files_to(100);  // four lines and a part of the fifth
    try {
      for (int i = 0; i < 10; ++i) journal.append(line);
      return false;
    } catch (const Error& error) {
      return error.code() == Code::data && journal.bytes() == fs::file_size(path);
    }
  }));
  const std::string before = read_file(path);
  EXPECT_FALSE(before.empty());
  EXPECT_EQ(before.back(), '\n');
  Journal(path).append(line);
  EXPECT_EQ(read_file(path), before + line.dump() + "\n");
}

TEST(Journal, IsReadFromAnyByteAndPassesOverBrokenLines) {
  TemporaryFolder folder;
  const fs::path path = folder.path / "metrics.jsonl";
  write_text(path, "{\"step\":1}\nrubbish\n{\"step\":2}\n{\"step\":3");
  int lines = 0;
  const uint64_t end = read_journal(path, 0, [&](const Json& line) { lines += line["step"].get<int>(); });
  EXPECT_EQ(lines, 3);
  EXPECT_EQ(end, 30u);
  EXPECT_EQ(read_journal(path, end, [&](const Json&) { ++lines; }), end);
  EXPECT_EQ(read_journal(folder.path / "none", 7, [](const Json&) {}), 7u);
}

TEST(ResolveRun, TakesIdsPrefixesLatestAndCells) {
  TemporaryFolder out;
  for (const char* id : {"abc1", "abd2", "f00d"})
    write_run(out.path, {.id = id, .kind = id[0] == 'f' ? "finetune" : "pretrain"});
  write_plan(
      out.path,
      sample_plan("demo",
                  Json::array({sample_cell("mask.patch=4 mask.ratio=0.6", {},
                                           Json::array({sample_chain(0, "abc1", "f00d"), sample_chain(1, "abd2", "")})),
                               sample_cell("scratch", {}, Json::array({sample_chain(0, "", "f00d")}))})));
  EXPECT_EQ(resolve_run(out.path, "abc1"), "abc1");
  EXPECT_EQ(resolve_run(out.path, "f"), "f00d");
  EXPECT_EQ(resolve_run(out.path, "latest"), "f00d");
  EXPECT_EQ(resolve_run(out.path, "latest", "pretrain"), "abd2");
  EXPECT_EQ(resolve_run(out.path, "demo:mask.ratio=0.6"), "f00d");
  EXPECT_EQ(resolve_run(out.path, "demo:mask.ratio=0.6 mask.patch=4 stage=pretrain"), "abc1");
  EXPECT_EQ(resolve_run(out.path, "demo:mask.ratio=0.6 seed=1"), "abd2");
  EXPECT_EQ(resolve_run(out.path, "demo:scratch"), "f00d");
  EXPECT_NE(error_of(Code::usage, [&] { resolve_run(out.path, "ab"); }).find("2 runs begin so: abc1, abd2"),
            std::string::npos);
  EXPECT_NE(error_of(Code::usage, [&] { resolve_run(out.path, "zzz"); }).find("no run"), std::string::npos);
  EXPECT_NE(error_of(Code::usage, [&] { resolve_run(out.path, "dem:scratch"); }).find("did you mean 'demo'"),
            std::string::npos);
  EXPECT_NE(error_of(Code::usage, [&] { resolve_run(out.path, "demo:mask.patch=5"); }).find("no such cell"),
            std::string::npos);
  EXPECT_NE(error_of(Code::usage, [&] { resolve_run(out.path, ""); }).find("no run"), std::string::npos);
}

TEST(Utc, IsReadBackToTheSecondsItSays) {
  EXPECT_DOUBLE_EQ(utc_seconds("1970-01-02T00:00:01.500Z"), 86401.5);
  EXPECT_NEAR(utc_seconds(utc_now()), static_cast<double>(std::time(nullptr)), 2);
  EXPECT_TRUE(std::isnan(utc_seconds("yesterday")));
}

}  // namespace
}  // namespace simmim
