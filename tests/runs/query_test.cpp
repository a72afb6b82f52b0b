#include "runs/query.h"

#include <gtest/gtest.h>

#include <thread>

#include "runs/database.h"
#include "runs/filter.h"
#include "runs/ingest.h"
#include "runs/sample_runs.h"
#include "runs/status.h"
#include "temporary.h"

namespace simmim {
namespace {

struct Samples {
  TemporaryFolder folder;
  fs::path out = folder.path, path = folder.path / "simmim.db";
  Samples() {
    write_run(out, {.id = "p4", .config = pretrain_config(0, 4, 0.6), .summary = {{"val_loss", 0.5}, {"epochs", 4}}});
    write_run(out, {.id = "p8", .config = pretrain_config(0, 8, 0.4), .summary = {{"val_loss", 0.25}, {"epochs", 4}}});
    write_run(out, {.id = "f4",
                    .kind = "finetune",
                    .parent = "p4",
                    .config = finetune_config(0),
                    .summary = {{"val_top1", 81.5}, {"test_top1", 80.0}, {"images_seen", 1000}}});
    write_run(out, {.id = "f8",
                    .kind = "finetune",
                    .parent = "p8",
                    .config = finetune_config(0),
                    .summary = {{"test_top1", 84.0}}});
    write_run(out, {.id = "s0",
                    .kind = "finetune",
                    .config = finetune_config(0, "scratch"),
                    .state = "failed",
                    .error = "out of memory on cpu"});
    Json chains = Json::array({sample_chain(0, "p4", "f4")});
    write_plan(out,
               sample_plan(
                   "demo",
                   Json::array({sample_cell("mask.patch=4", {{"mask.patch", 4}}, chains),
                                sample_cell("scratch", {{"case", "scratch"}}, Json::array({sample_chain(0, "", "s0")})),
                                sample_cell("later", {{"case", "later"}}, Json::array({sample_chain(0, "", "w0")}))}),
                   {{"w0",
                     {{"kind", "finetune"},
                      {"config", finetune_config(1, "scratch")},
                      {"plan", {{"images", 500}, {"device", "cpu"}}}}}}));
    EXPECT_EQ(ingest_changes(path, out), "");
  }
  Sqlite database() const { return open_for_reading(path, out); }
};

std::string found(const Samples& samples, const std::string& where, const std::string& sort = "run") {
  std::string ids;
  for (const auto& row : list_runs(samples.database(), {.where = where, .sort = sort, .columns = {"run"}}).rows)
    ids += (ids.empty() ? "" : " ") + text_of(row[0]);
  return ids;
}

TEST(Filter, FindsRunsByColumnsAndByAnyLeafOfTheirChainsConfiguration) {
  const Samples samples;
  EXPECT_EQ(found(samples, ""), "f4 f8 p4 p8 s0 w0");
  EXPECT_EQ(found(samples, "mask.ratio=0.6"), "f4 p4");
  EXPECT_EQ(found(samples, "mask_ratio=0.4 kind=pretrain"), "p8");
  EXPECT_EQ(found(samples, "finetune.lr<0.01 state=done"), "f4 f8");
  EXPECT_EQ(found(samples, "top1>81"), "f4 f8");
  EXPECT_EQ(found(samples, "val.top1>81"), "f4");
  EXPECT_EQ(found(samples, "top1!=84 kind=finetune"), "f4 s0 w0");
  EXPECT_EQ(found(samples, "state=failed,waiting"), "s0 w0");
  EXPECT_EQ(found(samples, "error~\"OUT of mem\""), "s0");
  EXPECT_EQ(found(samples, "finetune.from=scratch"), "s0 w0");
  EXPECT_EQ(found(samples, "sweep=demo kind=finetune"), "f4 s0 w0");
  EXPECT_EQ(found(samples, "cell~scratch"), "s0");
  EXPECT_EQ(found(samples, "val_loss=null kind=pretrain"), "");
  EXPECT_EQ(found(samples, "encoder>5"), "");  // a text is never larger than a number
  EXPECT_EQ(found(samples, "", "-top1"), "f8 f4 p4 p8 s0 w0");
}

TEST(Filter, NamesWhatItDoesNotUnderstand) {
  const Samples samples;
  EXPECT_NE(error_of(Code::usage, [&] { found(samples, "mask.ration=0.6"); }).find("did you mean 'mask.ratio'"),
            std::string::npos);
  EXPECT_NE(error_of(Code::usage, [&] { found(samples, "mask.ratio"); }).find("KEY OP VALUE"), std::string::npos);
  EXPECT_EQ(error_of(Code::usage, [&] { found(samples, "mask.ratio>"); }),
            "'mask.ratio>': the value is missing; write one after >, for example mask.ratio>0.5");
  EXPECT_NE(error_of(Code::usage, [&] { found(samples, "error~\"open"); }).find("not closed"), std::string::npos);
  EXPECT_NE(error_of(Code::usage, [&] { found(samples, "", "speed"); }).find("no run has this key"), std::string::npos);
  EXPECT_EQ(list_runs(open_for_reading("/none/simmim.db", ""), {.where = "mask.ratio=0.6"}).rows.size(), 0u);
}

TEST(Filter, MatchesCellValuesWithoutADatabase) {
  const Json values = {{"mask.patch", 4}, {"case", "scratch"}, {"encoder.depths", {2, 2}}, {"finetune.ema", true}};
  const auto matches = [&](const std::string& text) {
    return fulfils_all(parse_filter(text),
                       [&](const std::string& key) { return values.contains(key) ? to_value(values[key]) : Value(); });
  };
  EXPECT_TRUE(matches("mask.patch=4 case=scratch"));
  EXPECT_TRUE(matches("mask.patch=4.0 mask.patch>=4 mask.patch<5 case~CRAT"));
  EXPECT_TRUE(matches("encoder.depths=[2,2] finetune.ema=true"));
  EXPECT_TRUE(matches("mask.patch=8,4 other=null other!=3"));
  EXPECT_FALSE(matches("mask.patch=8"));
  EXPECT_FALSE(matches("other>3"));
}

TEST(Query, AnswersSelectsAndRefusesEverythingElse) {
  const Samples samples;
  const Sqlite database = samples.database();
  const Frame frame = query(database, "SELECT run, val_top1 FROM results WHERE kind = 'finetune' ORDER BY run;");
  EXPECT_EQ(frame.columns, (std::vector<std::string>{"run", "val_top1"}));
  EXPECT_EQ(frame.rows.size(), 4u);
  EXPECT_EQ(frame.rows[0][1], Value(81.5));
  EXPECT_EQ(
      query(database, "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 3) SELECT * FROM n")
          .rows.size(),
      3u);
  EXPECT_EQ(query(database, "PRAGMA table_info(results)").rows.size(), 39u);
  for (const char* sql :
       {"DELETE FROM runs", "CREATE TABLE t(a)", "ATTACH '/tmp/x.db' AS x", "PRAGMA query_only = 0", "VACUUM"})
    EXPECT_NE(error_of(Code::usage, [&] { query(database, sql); }).find("only SELECT"), std::string::npos) << sql;
  EXPECT_NE(error_of(Code::usage, [&] { query(database, "SELECT 1; SELECT 2"); }).find("one statement"),
            std::string::npos);
  EXPECT_NE(error_of(Code::usage, [&] { query(database, "SELEKT 1"); }).find("syntax error"), std::string::npos);
  EXPECT_NE(error_of(Code::usage, [&] { query(database, "SELECT nonsense FROM results"); }).find("no such column"),
            std::string::npos);
  EXPECT_NE(error_of(Code::usage, [&] { query(database, " "); }).find("no SQL"), std::string::npos);
}

TEST(DescribeRun, ShowsAttemptsMetricsSweepsAndChildren) {
  const Samples samples;
  const Json run = describe_run(samples.database(), samples.out, "p4");
  EXPECT_EQ(run["run"]["state"], "done");
  EXPECT_EQ(run["config"]["mask"]["patch"], 4);
  EXPECT_EQ(run["attempts"].size(), 1u);
  EXPECT_EQ(run["metrics"][0]["key"], "loss");
  EXPECT_EQ(run["metrics"][0]["count"], 5);
  EXPECT_EQ(run["sweeps"][0]["cell"], "mask.patch=4");
  EXPECT_EQ(run["children"], Json::array({"f4"}));
  EXPECT_NE(error_of(Code::usage, [&] { describe_run(samples.database(), samples.out, "zz"); }).find("no such run"),
            std::string::npos);
}

TEST(CompareRuns, ShowsOnlyLeavesThatDifferAndAllResults) {
  const Samples samples;
  const Frame frame = compare_runs(samples.database(), samples.out, {"f4", "f8"});
  std::map<std::string, std::vector<Value>> rows;
  for (const auto& row : frame.rows) rows[text_of(row[0])] = {row[1], row[2]};
  EXPECT_EQ(rows["mask.patch"], (std::vector<Value>{int64_t{4}, int64_t{8}}));
  EXPECT_EQ(rows["mask.ratio"], (std::vector<Value>{0.6, 0.4}));
  EXPECT_FALSE(rows.contains("encoder.dim"));
  EXPECT_EQ(rows["test_top1"], (std::vector<Value>{80.0, 84.0}));
  const Frame cells = compare_runs(samples.database(), samples.out, {"demo:mask.patch=4", "f8"});
  EXPECT_EQ(cells.columns[1], "demo:mask.patch=4");
  EXPECT_NE(error_of(Code::usage, [&] { compare_runs(samples.database(), samples.out, {"f4"}); }).find("two or more"),
            std::string::npos);
}

TEST(RunWhy, TellsTheErrorAndTheTailOfTheLog) {
  const Samples samples;
  RunFolder::claim(samples.out, "s0")->log("allocating 5 GB");
  EXPECT_NE(run_why(samples.out, "s0").find("error: out of memory on cpu"), std::string::npos);
  EXPECT_NE(run_why(samples.out, "s0").find("allocating 5 GB"), std::string::npos);
  write_text(run_path(samples.out, "s0") / "crash/step-12.json",
             R"({"step": 12, "why": "not finite", "loss": null, "indices": [1, 2], "gradients": {"encoder.a": null},
                 "blocks": [{"block": 1, "largest_activation": 1.5}, {"block": 2, "largest_activation": null}]})");
  EXPECT_NE(run_why(samples.out, "s0").find("first tensor that is not finite: the activations of block 2\n"),
            std::string::npos);
  EXPECT_NE(run_why(samples.out, "s0").find("loss: not finite"), std::string::npos);
  write_text(run_path(samples.out, "s0") / "crash/step-12.json",
             R"({"step": 12, "gradients": {"encoder.a": null, "encoder.b": null, "decoder.c": 1},
                 "blocks": [{"block": 1, "largest_activation": 1.5}]})");
  EXPECT_NE(run_why(samples.out, "s0").find("first tensor that is not finite: the gradient of encoder.b\n"),
            std::string::npos);
  EXPECT_NE(error_of(Code::usage, [&] { run_log(samples.out, "p4"); }).find("no log"), std::string::npos);
}

TEST(WhyNone, NamesTheConditionThatNoRunFulfilsAndTheValuesThereAre) {
  const Samples samples;
  const Sqlite database = samples.database();
  EXPECT_EQ(why_none(database, "mask.ratio=0.9"), "none of 6 runs has mask.ratio=0.9; mask.ratio is 0.4 or 0.6");
  EXPECT_EQ(why_none(database, "kind=finetune state=don"),
            "none of 6 runs has state=don; did you mean 'done'? state is done, failed or waiting");
  EXPECT_EQ(why_none(database, "mask.ratio=0.6 mask.patch=8"),
            "none of 6 runs fulfils all of these conditions at once; leave one out");
  EXPECT_EQ(why_none(open_for_reading("/none/simmim.db", ""), "state=done"), "there are no runs yet");
}

TEST(Status, CountsWhatComesFromAFailedRunAsBlockedAndLeavesItOutOfTheTime) {
  const TemporaryFolder folder;
  const fs::path out = folder.path;
  write_run(out, {.id = "p", .state = "failed", .error = "not finite"});
  write_plan(
      out, sample_plan("s", Json::array({sample_cell("all", Json::object(), Json::array({sample_chain(0, "p", "f")}))}),
                       {{"f", {{"kind", "finetune"}, {"parent", "p"}, {"config", finetune_config(0)}}}}));
  ASSERT_EQ(ingest_changes(out / "simmim.db", out), "");
  const SweepStatus sweep = read_status(open_for_reading(out / "simmim.db", out), "s", out).sweeps.at(0);
  EXPECT_EQ(sweep.states, (std::map<std::string, int64_t>{{"blocked", 1}, {"failed", 1}}));
  EXPECT_EQ(sweep.seconds_left, 0);
}

TEST(Status, OfASweepThatStillTunesIsThatOfItsTuning) {
  const TemporaryFolder folder;
  const fs::path out = folder.path;
  write_plan(
      out, sample_plan("s-tune",
                       Json::array({sample_cell("all", Json::object(), Json::array({sample_chain(100, "p", "f")}))})));
  ASSERT_EQ(ingest_changes(out / "simmim.db", out), "");
  const Sqlite database = open_for_reading(out / "simmim.db", out);
  const Status status = read_status(database, "s", out);
  ASSERT_EQ(status.sweeps.size(), 1u);
  EXPECT_EQ(status.sweeps[0].name, "s-tune");
  EXPECT_NE(error_of(Code::usage, [&] { sweep_run_here(database, "s"); }).find("no sweep is called s"),
            std::string::npos);
}

TEST(Status, CountsStatesAndEstimatesTheTimeLeft) {
  const Samples samples;
  const Status status = read_status(samples.database(), "demo", samples.out);
  ASSERT_EQ(status.sweeps.size(), 1u);
  const SweepStatus& sweep = status.sweeps[0];
  EXPECT_EQ(sweep.planned, 4);
  EXPECT_EQ(sweep.states, (std::map<std::string, int64_t>{{"done", 2}, {"failed", 1}, {"waiting", 1}}));
  ASSERT_EQ(sweep.failed.size(), 1u);
  EXPECT_EQ(sweep.failed[0].error, "out of memory on cpu");
  ASSERT_TRUE(sweep.seconds_left);  // w0 as f4, which is like it
  const double seconds = read_record(run_path(samples.out, "f4"))["attempts"][0]["seconds"];
  const double workers = std::max(1u, std::thread::hardware_concurrency());
  EXPECT_DOUBLE_EQ(*sweep.seconds_left, 500 * seconds / 1000 / workers);
  EXPECT_EQ(read_status(samples.database()).other_states, (std::map<std::string, int64_t>{{"done", 2}}));
  EXPECT_EQ(status_json(status)["sweeps"][0]["states"]["done"], 2);
  EXPECT_NE(error_of(Code::usage, [&] { read_status(samples.database(), "dem"); }).find("did you mean 'demo'"),
            std::string::npos);
}

}  // namespace
}  // namespace simmim
