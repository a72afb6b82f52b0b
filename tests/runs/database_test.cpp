#include "runs/database.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <set>

#include "runs/ingest.h"
#include "runs/paper.h"
#include "runs/sample_runs.h"
#include "runs/schema.h"
#include "temporary.h"

namespace simmim {
namespace {

std::vector<std::vector<std::string>> rows_of(const Sqlite& database, const std::string& sql) {
  std::vector<std::vector<std::string>> rows;
  Statement statement = database.prepare(sql);
  while (statement.step()) {
    std::vector<std::string>& row = rows.emplace_back();
    for (int column = 0; column < statement.columns(); ++column) row.push_back(text_of(statement.value(column)));
  }
  return rows;
}

std::string one(const fs::path& database, const std::string& sql, const fs::path& out = "") {
  const auto rows = rows_of(open_for_reading(database, out), sql);
  return rows.empty() ? "no row" : rows[0][0];
}

std::set<std::string> files_of(const fs::path& folder) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.insert(entry.path().filename());
  return names;
}

// Two cells, two seeds; the second seed of the second cell has failed.
struct SampleSweep {
  TemporaryFolder folder;
  fs::path out = folder.path, database = folder.path / "simmim.db";
  SampleSweep() {
    double top1 = 80;
    for (const int64_t patch : {4, 8})
      for (const int64_t seed : {0, 1}) {
        const std::string tag = fmt::format("{}{}", patch, seed);
        write_run(out, {.id = "p" + tag,
                        .seed = seed,
                        .config = pretrain_config(seed, patch),
                        .summary = {{"images_seen", 1000}, {"steps", 10}, {"val_loss", 0.1 * patch}}});
        const bool failed = patch == 8 && seed == 1;
        Json summary = {{"val_top1", top1}, {"test_top1", top1 - 0.5}, {"images_seen", 500}};
        if (failed) summary = Json::object();
        write_run(out, {.id = "f" + tag,
                        .kind = "finetune",
                        .parent = "p" + tag,
                        .seed = seed,
                        .config = finetune_config(seed),
                        .summary = summary,
                        .state = failed ? "failed" : "done",
                        .error = failed ? "loss is not finite" : ""});
        top1 += 2;
      }
    const auto chains = [](int patch) {
      return Json::array({sample_chain(0, fmt::format("p{}0", patch), fmt::format("f{}0", patch)),
                          sample_chain(1, fmt::format("p{}1", patch), fmt::format("f{}1", patch))});
    };
    write_plan(out,
               sample_plan("demo", Json::array({sample_cell("mask.patch=4 mask.ratio=0.6",
                                                            {{"mask.patch", 4}, {"mask.ratio", 0.6}}, chains(4)),
                                                sample_cell("mask.patch=8 mask.ratio=0.6",
                                                            {{"mask.patch", 8}, {"mask.ratio", 0.6}}, chains(8))})));
  }
};

// A plan of one chain under the very conditions of a cell of the paper's first table.
Json plan_of_the_paper() {
  const PaperTable& table = *find_paper_table("paper/1");
  Json config = Json::object();
  for (const auto& [key, value] : table.setup.items()) set_path(config, key, value);
  for (const auto& [key, value] : table.default_values.items()) set_path(config, key, value);
  Json plan = sample_plan("paper", Json::array({sample_cell("a", {}, Json::array({sample_chain(0, "pp", "pf")}))}),
                          {{"pp", {{"kind", "pretrain"}, {"config", config}, {"plan", {{"images", table.images}}}}},
                           {"pf", {{"kind", "finetune"}, {"parent", "pp"}, {"config", config}}}});
  return plan;
}

TEST(Database, ThatIsMissingReadsAsAnEmptyOneAndStaysMissing) {
  TemporaryFolder folder;
  const fs::path path = folder.path / "deep" / "simmim.db";
  for (const char* view :
       {"results", "members", "cells", "curves", "sweeps", "artifacts", "environments", "metric_summary"})
    EXPECT_EQ(one(path, fmt::format("SELECT count(*) FROM {}", view)), "0") << view;
  EXPECT_TRUE(fs::is_empty(folder.path));
}

TEST(Database, ReadingLeavesNoFileBehind) {
  SampleSweep sweep;
  ASSERT_EQ(ingest_changes(sweep.database, sweep.out), "");
  const auto before = files_of(sweep.out);
  EXPECT_EQ(one(sweep.database, "SELECT count(*) FROM results"), "8");
  EXPECT_EQ(files_of(sweep.out), before);
}

// In a child that has given up root, for whom no folder is read-only.
TEST(Database, InAReadOnlyFolderIsReadAsItStandsAndWritingWarns) {
  SampleSweep sweep;
  ASSERT_EQ(ingest_changes(sweep.database, sweep.out), "");
  for (const auto& entry : fs::recursive_directory_iterator(sweep.out))
    ::chmod(entry.path().c_str(), entry.is_directory() ? 0555 : 0444);
  ::chmod(sweep.out.c_str(), 0555);
  const pid_t child = fork();
  if (child == 0) {
    if (::getuid() == 0 && ::setuid(65534) != 0) _exit(9);
    try {
      if (one(sweep.database, "SELECT count(*) FROM results", sweep.out) != "8") _exit(1);
      if (ingest_run(sweep.database, run_path(sweep.out, "p40")).find("simmim.db") == std::string::npos) _exit(2);
      if (ingest_run(sweep.out / "new" / "simmim.db", run_path(sweep.out, "p40")).empty()) _exit(3);
      if (RunFolder::claim(sweep.out, "new")) _exit(4);
    } catch (const Error& error) {
      _exit(error.code() == Code::data ? 0 : 5);  // what claim throws
    }
    _exit(6);
  }
  int status = -1;
  waitpid(child, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 0);
  ::chmod(sweep.out.c_str(), 0755);
  for (const auto& entry : fs::recursive_directory_iterator(sweep.out))
    if (entry.is_directory()) ::chmod(entry.path().c_str(), 0755);
}

TEST(Database, RefusesWritesOfReaders) {
  SampleSweep sweep;
  ASSERT_EQ(ingest_changes(sweep.database, sweep.out), "");
  Sqlite reader = open_for_reading(sweep.database, sweep.out);
  EXPECT_THROW(reader.execute("DELETE FROM runs"), Error);
}

TEST(Views, HaveTheColumnsTheContractNames) {
  const Sqlite empty = open_for_reading("/nonexistent/simmim.db", "");
  const auto columns = [&](const std::string& view) {
    std::vector<std::string> names;
    Statement statement = empty.prepare("SELECT * FROM " + view);
    for (int column = 0; column < statement.columns(); ++column) names.push_back(statement.column_name(column));
    return names;
  };
  EXPECT_EQ(columns("results"), result_columns());
  EXPECT_EQ(columns("results"), (std::vector<std::string>{"run",
                                                          "parent",
                                                          "kind",
                                                          "state",
                                                          "seed",
                                                          "method",
                                                          "encoder",
                                                          "mask",
                                                          "mask_patch",
                                                          "mask_ratio",
                                                          "head",
                                                          "target",
                                                          "target_resolution",
                                                          "loss",
                                                          "area",
                                                          "dataset",
                                                          "parameters",
                                                          "epochs",
                                                          "steps",
                                                          "images_seen",
                                                          "val_top1",
                                                          "test_top1",
                                                          "test_top5",
                                                          "best_epoch",
                                                          "train_loss",
                                                          "val_loss",
                                                          "images_per_second",
                                                          "seconds",
                                                          "gpus",
                                                          "gpu_hours",
                                                          "chain_gpu_hours",
                                                          "skipped_steps",
                                                          "device",
                                                          "precision",
                                                          "host",
                                                          "git_commit",
                                                          "started_at",
                                                          "error",
                                                          "config"}));
  EXPECT_EQ(columns("members"), (std::vector<std::string>{"sweep", "cell", "seed", "stage", "run"}));
  EXPECT_EQ(columns("cells"), (std::vector<std::string>{"sweep", "cell", "stage", "metric", "mean", "std", "n",
                                                        "planned", "failed", "paper"}));
  EXPECT_EQ(columns("curves"), (std::vector<std::string>{"run", "key", "step", "epoch", "value", "seconds"}));
}

TEST(Views, GiveAFineTuningTheAxesOfItsPreTraining) {
  SampleSweep sweep;
  ASSERT_EQ(ingest_changes(sweep.database, sweep.out), "");
  const auto rows = rows_of(
      open_for_reading(sweep.database, sweep.out),
      "SELECT kind, mask, mask_patch, mask_ratio, head, loss, area, encoder, dataset, val_top1, seed, git_commit, "
      "config->>'$.finetune.lr', error FROM results WHERE run IN ('f41', 'f81') ORDER BY run");
  EXPECT_EQ(rows[0], (std::vector<std::string>{"finetune", "random", "4", "0.6", "linear", "l1", "masked", "vit",
                                               "fashion_mnist", "82", "1", "abc123", "0.001", ""}));
  EXPECT_EQ(rows[1][13], "loss is not finite");
  const auto hours = rows_of(open_for_reading(sweep.database, sweep.out),
                             "SELECT chain_gpu_hours > gpu_hours FROM results WHERE run = 'f40' UNION ALL "
                             "SELECT chain_gpu_hours = gpu_hours FROM results WHERE run = 'p40'");
  EXPECT_EQ(hours, (std::vector<std::vector<std::string>>{{"1"}, {"1"}}));
}

TEST(Views, SummariseCellsOverSeedsAndCountWhatIsMissing) {
  SampleSweep sweep;
  ASSERT_EQ(ingest_changes(sweep.database, sweep.out), "");
  const auto rows = rows_of(open_for_reading(sweep.database, sweep.out),
                            "SELECT cell, mean, round(std, 9), n, planned, failed FROM cells WHERE stage = 'finetune' "
                            "AND metric = 'val.top1'");
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0], (std::vector<std::string>{"mask.patch=4 mask.ratio=0.6", "81", "1.414213562", "2", "2", "0"}));
  EXPECT_EQ(rows[1], (std::vector<std::string>{"mask.patch=8 mask.ratio=0.6", "84", "", "1", "2", "1"}));
}

TEST(Views, AverageSeveralFineTuningsOfAChainFirst) {
  TemporaryFolder folder;
  const fs::path out = folder.path, database = out / "simmim.db";
  int id = 0;
  Json chains = Json::array();
  for (const auto& [first, second] : {std::pair{70.0, 74.0}, std::pair{80.0, 84.0}}) {
    Json chain = sample_chain(id, "", "");
    for (const double top1 : {first, second}) {
      const std::string name = fmt::format("f{}", id++);
      write_run(
          out,
          {.id = name, .kind = "finetune", .config = finetune_config(0, "scratch"), .summary = {{"val_top1", top1}}});
      chain["runs"].push_back({{"stage", "finetune"}, {"id", name}});
    }
    chains.push_back(chain);
  }
  write_plan(out, sample_plan("demo", Json::array({sample_cell("scratch", {{"case", "scratch"}}, chains)})));
  ASSERT_EQ(ingest_changes(database, out), "");
  EXPECT_EQ(rows_of(open_for_reading(database, out),
                    "SELECT mean, round(std, 6), n, planned FROM cells WHERE metric = 'val.top1'")[0],
            (std::vector<std::string>{"77", "7.071068", "2", "2"}));
}

TEST(Views, ShowPlannedRunsAsWaitingAndForgetThemWhenThePlanDoes) {
  TemporaryFolder folder;
  const fs::path out = folder.path, database = out / "simmim.db";
  Json plan = sample_plan(
      "demo", Json::array({sample_cell("a", {}, Json::array({sample_chain(0, "p0", "f0")}))}),
      {{"p0", {{"kind", "pretrain"}, {"id", "p0"}, {"config", pretrain_config(0)}, {"plan", {{"parameters", 7}}}}},
       {"f0", {{"kind", "finetune"}, {"id", "f0"}, {"parent", "p0"}, {"config", finetune_config(0)}}}});
  ASSERT_EQ(ingest_plan(database, write_plan(out, plan)), "");
  EXPECT_EQ(one(database,
                "SELECT group_concat(run || ' ' || state || ' ' || mask_patch, ',') FROM (SELECT * FROM results ORDER "
                "BY run)"),
            "f0 waiting 8,p0 waiting 8");
  plan["revision"] = 2;
  plan["cells"][0]["chains"][0]["runs"].erase(1);
  plan["runs"].erase("f0");
  ASSERT_EQ(ingest_plan(database, write_plan(out, plan)), "");
  EXPECT_EQ(one(database, "SELECT group_concat(run) FROM results"), "p0");
  plan["revision"] = 1;  // an old plan changes nothing
  plan["cells"] = Json::array();
  ASSERT_EQ(ingest_plan(database, write_plan(out, plan)), "");
  EXPECT_EQ(one(database, "SELECT count(*) FROM members"), "1");
}

TEST(Views, ShowARunWhoseProcessIsGoneAsLost) {
  TemporaryFolder folder;
  const fs::path out = folder.path, database = out / "simmim.db";
  {
    auto run = RunFolder::claim(out, "aa");
    run->begin_attempt("pretrain", "", 0, {});
    ASSERT_EQ(ingest_run(database, run->path()), "");
    EXPECT_EQ(one(database, "SELECT state FROM results", out), "running");
  }
  EXPECT_EQ(one(database, "SELECT state FROM results", out), "lost");
  EXPECT_EQ(one(database, "SELECT count(*) FROM results WHERE state = 'lost'", out), "1");
  ASSERT_EQ(ingest_changes(database, out), "");  // what status does: the index itself says so from now on
  EXPECT_EQ(one(database, "SELECT state FROM results"), "lost");
}

TEST(Ingest, TakesNewLinesOfAJournalAndStartsOverWhenAResumeCutIt) {
  TemporaryFolder folder;
  const fs::path out = folder.path, database = out / "simmim.db";
  uint64_t kept;
  {
    auto run = RunFolder::claim(out, "aa");
    run->begin_attempt("pretrain", "", 0, {});
    Journal& journal = run->open_journal(0);
    journal.append({{"step", 1}, {"loss", 1.0}});
    kept = journal.bytes();
    ASSERT_EQ(ingest_run(database, run->path()), "");
    journal.append({{"step", 2}, {"loss", std::nan("")}, {"note", "text is no metric"}});
    ASSERT_EQ(ingest_run(database, run->path()), "");
    EXPECT_EQ(one(database, "SELECT group_concat(step || ':' || coalesce(value, 'null')) FROM curves"), "1:1.0,2:null");
  }
  auto run = RunFolder::claim(out, "aa");
  run->begin_attempt("pretrain", "", 0, {});
  ASSERT_EQ(ingest_run(database, run->path()), "");  // as a run does before it opens its journal
  Journal& journal = run->open_journal(kept);
  for (int step = 2; step <= 5; ++step) journal.append({{"step", step}, {"loss", 1.0 / step}});
  ASSERT_EQ(ingest_run(database, run->path()), "");
  EXPECT_EQ(one(database, "SELECT group_concat(step || ':' || value) FROM curves"),
            "1:1.0,2:0.5,3:0.333333333333333,4:0.25,5:0.2");
  EXPECT_EQ(rows_of(open_for_reading(database, ""),
                    "SELECT count, first, last, min, max, min_step, max_step FROM metric_summary")[0],
            (std::vector<std::string>{"5", "1", "0.2", "0.2", "1", "5", "1"}));
}

TEST(Ingest, OfEightProcessesAtOnceLosesNoRowWhileOthersRead) {
  TemporaryFolder folder;
  const fs::path out = folder.path, database = out / "simmim.db";
  std::vector<pid_t> children;
  for (int process = 0; process < 8; ++process) {
    const pid_t child = fork();
    if (child != 0) {
      children.push_back(child);
      continue;
    }
    int failures = 0;
    auto run = RunFolder::claim(out, fmt::format("run{}", process));
    run->begin_attempt("pretrain", "", process, {});
    Journal& journal = run->open_journal(0);
    for (int step = 1; step <= 25; ++step) {
      journal.append({{"step", step}, {"loss", 1.0 / step}, {"lr", 0.1}});
      failures += !ingest_run(database, run->path()).empty();
    }
    run->end_attempt("done");
    failures += !ingest_run(database, run->path()).empty();
    _exit(failures);
  }
  for (int reader = 0; reader < 4; ++reader) {  // see ever more, and never half a run
    const pid_t child = fork();
    if (child != 0) {
      children.push_back(child);
      continue;
    }
    for (int64_t seen = 0, done = 0; done < 8;) {
      const Sqlite reading = open_for_reading(database, "");
      Statement count = reading.prepare(
          "SELECT count(*), (SELECT count(*) FROM results WHERE state = 'done'), (SELECT sum(count) FROM "
          "metric_summary) "
          "FROM metrics");
      if (!count.step() || count.integer(0) < seen || count.integer(0) != count.integer(2)) _exit(1);
      seen = count.integer(0), done = count.integer(1);
    }
    _exit(0);
  }
  for (const pid_t child : children) {
    int status = -1;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  EXPECT_EQ(one(database, "SELECT count(*) FROM curves"), "400");
  EXPECT_EQ(one(database, "SELECT count(*) FROM results WHERE state = 'done'"), "8");
  EXPECT_EQ(one(database, "PRAGMA integrity_check"), "ok");
}

TEST(Ingest, OfAKilledWriterLeavesTheDatabaseWhole) {
  SampleSweep sweep;
  ASSERT_EQ(ingest_changes(sweep.database, sweep.out), "");
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t child = fork();
  if (child == 0) {
    Sqlite writer = open_for_writing(sweep.database);
    Transaction transaction(writer);
    writer.execute("DELETE FROM metrics; UPDATE runs SET state = 'failed'");
    [[maybe_unused]] const auto told = write(ready[1], "x", 1);
    pause();
    _exit(0);
  }
  char token;
  ASSERT_EQ(read(ready[0], &token, 1), 1);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  EXPECT_EQ(one(sweep.database, "SELECT count(*) FROM curves"), "80");
  EXPECT_EQ(one(sweep.database, "SELECT count(*) FROM results WHERE state = 'done'"), "7");
  EXPECT_EQ(ingest_run(sweep.database, run_path(sweep.out, "p40")), "");
}

TEST(Ingest, WarnsInsteadOfStoppingARun) {
  SampleSweep sweep;
  const fs::path run = run_path(sweep.out, "p40");
  ASSERT_EQ(ingest_changes(sweep.database, sweep.out), "");

  Sqlite other = open_for_writing(sweep.database);
  {
    Transaction held(other);
    EXPECT_NE(ingest_run(sweep.database, run, 10).find("another process holds"), std::string::npos);
  }
  EXPECT_EQ(ingest_run(sweep.database, run, 10), "");

  const fs::path broken = sweep.out / "broken.db";
  write_text(broken, std::string(5000, 'x'));
  EXPECT_NE(ingest_run(broken, run).find("simmim db rebuild"), std::string::npos);
  EXPECT_EQ(read_file(broken), std::string(5000, 'x'));

  const fs::path newer = sweep.out / "newer.db";
  Sqlite(newer, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, newer, 0)
      .execute("CREATE TABLE schema_version(version); INSERT INTO schema_version VALUES (99)");
  EXPECT_NE(ingest_run(newer, run).find("newer simmim (schema 99"), std::string::npos);
  try {
    open_for_reading(newer, "");
    ADD_FAILURE() << "a newer schema was read";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::database);
  }
  EXPECT_NE(ingest_run("/proc/no/simmim.db", run), "");
}

TEST(Ingest, IntoAFullDatabaseWarnsAndKeepsWhatWasThere) {
  SampleSweep sweep;
  ASSERT_EQ(ingest_run(sweep.database, run_path(sweep.out, "p40")), "");
  Sqlite full = open_for_writing(sweep.database);
  Statement pages = full.prepare("PRAGMA page_count");
  pages.step();
  full.execute(fmt::format("PRAGMA max_page_count = {}", pages.integer(0)));
  pages.reset();
  try {
    Transaction transaction(full);
    for (int i = 0; i < 2000; ++i)
      full.prepare("INSERT INTO metrics VALUES ('zz', 'loss', ?, 0, 0, 0)").bind(1, int64_t{i}).run();
    transaction.commit();
    ADD_FAILURE() << "the limit did not hold";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("no space for the database"), std::string::npos);
  }
  EXPECT_EQ(one(sweep.database, "SELECT count(*) FROM curves"), "10");
}

TEST(Rebuild, GivesTheSameViewsToTheByte) {
  SampleSweep sweep;
  for (const char* id : {"f81", "p40", "f40", "p80", "p81", "f41", "f80", "p41"})  // children before parents too
    ASSERT_EQ(ingest_run(sweep.database, run_path(sweep.out, id)), "");
  ASSERT_EQ(ingest_plan(sweep.database, sweep.out / "sweeps/demo/plan-1.json"), "");
  write_run(sweep.out, {.id = "stopped", .state = "stopped"});
  {  // a run in two attempts, the second of which cut the journal; and a copy of it from elsewhere
    auto run = RunFolder::claim(sweep.out, "twice");
    run->begin_attempt("pretrain", "", 0, {});
    run->open_journal(0).append({{"step", 1}, {"loss", 1.0}});
    const uint64_t kept = run->journal().bytes();
    run->journal().append({{"step", 2}, {"loss", std::nan("")}});
    ASSERT_EQ(ingest_run(sweep.database, run->path()), "");
    run->begin_attempt("pretrain", "", 0, {});
    run->open_journal(kept).append({{"step", 2}, {"loss", 0.5}});
    run->end_attempt("done");
    make_folder(run->path() / "copies");
    fs::copy(run_path(sweep.out, "p40"), run->path() / "copies/0123", fs::copy_options::recursive);
    ASSERT_EQ(ingest_run(sweep.database, run->path()), "");
  }
  write_plan(sweep.out, plan_of_the_paper());
  ASSERT_EQ(ingest_changes(sweep.database, sweep.out), "");
  const auto all = [&] {
    const Sqlite database = open_for_reading(sweep.database, sweep.out);
    std::vector<std::vector<std::vector<std::string>>> views;
    for (const char* view :
         {"results ORDER BY run", "members", "cells", "curves ORDER BY run, key, step",
          "attempts ORDER BY run, attempt", "metric_summary ORDER BY run, key", "artifacts ORDER BY run, path",
          "environments", "sweeps", "sweep_cells", "paper_values", "config_values", "schema_version"})
      views.push_back(rows_of(database, std::string("SELECT * FROM ") + view));
    return views;
  };
  const auto before = all();
  EXPECT_EQ(before[0].size(), 12u);
  EXPECT_EQ(one(sweep.database, "SELECT count(*) FROM attempts WHERE run = 'twice'"), "3");
  EXPECT_EQ(one(sweep.database, "SELECT paper FROM cells WHERE sweep = 'paper' AND metric = 'test.top1'"), "82.8");
  make_folder(sweep.out / "runs/never-began");
  const RebuildReport report = rebuild_database(sweep.database, sweep.out);
  ASSERT_EQ(report.skipped.size(), 1u);
  EXPECT_EQ(report.skipped[0].string(), (sweep.out / "runs/never-began").string());
  EXPECT_EQ(report.runs, 10);
  EXPECT_EQ(report.sweeps, 2);
  EXPECT_EQ(all(), before);
  write_text(sweep.database, "this is no database, but a text long enough to be taken for one at first sight");
  rebuild_database(sweep.database, sweep.out);
  EXPECT_EQ(all(), before);
}

TEST(Backup, IsACompleteDatabaseAndNeverOverwrites) {
  SampleSweep sweep;
  ASSERT_EQ(ingest_changes(sweep.database, sweep.out), "");
  backup_database(sweep.database, sweep.out / "copy.db");
  EXPECT_EQ(one(sweep.out / "copy.db", "SELECT count(*) FROM results"), "8");
  EXPECT_THROW(backup_database(sweep.database, sweep.out / "copy.db"), Error);
  EXPECT_THROW(backup_database(sweep.out / "none.db", sweep.out / "copy2.db"), Error);
}

TEST(Backup, KilledHalfWayLeavesNoHalfBackup) {
  SampleSweep sweep;
  ASSERT_EQ(ingest_changes(sweep.database, sweep.out), "");
  EXPECT_TRUE(in_child([&] {  // a file-size limit: what a full disk does
    limit_files_to(20000);
    try {
      backup_database(sweep.database, sweep.out / "copy.db");
      return false;
    } catch (const Error& error) {
      return error.code() == Code::database;
    }
  }));
  for (const std::string& name : files_of(sweep.out)) EXPECT_EQ(name.find("copy.db"), std::string::npos) << name;
}

TEST(Changes, AreTakenInOnceOnly) {
  SampleSweep sweep;
  ASSERT_EQ(ingest_changes(sweep.database, sweep.out), "");
  const auto time = fs::last_write_time(sweep.database);
  ASSERT_EQ(ingest_changes(sweep.database, sweep.out), "");
  EXPECT_EQ(fs::last_write_time(sweep.database), time);
  write_run(sweep.out, {.id = "new"});
  ASSERT_EQ(ingest_changes(sweep.database, sweep.out), "");
  EXPECT_EQ(one(sweep.database, "SELECT count(*) FROM results"), "9");
}

}  // namespace
}  // namespace simmim
