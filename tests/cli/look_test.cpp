// Looking at runs from the command line: runs, compare, query, status, show; on run folders as the trainers write them.
#include <gtest/gtest.h>

#include "cli/process.h"
#include "runs/ingest.h"
#include "runs/run_folder.h"
#include "runs/sample_runs.h"

namespace simmim {
namespace {

using Words = std::vector<std::string>;

class LookAtRuns : public testing::Test {
 protected:
  LookAtRuns() {
    for (const int64_t patch : {4, 8}) {
      const std::string tag = std::to_string(patch);
      write_run(out_, {.id = "p" + tag, .config = pretrain_config(0, patch), .summary = {{"val_loss", 0.1}}});
      write_run(out_, {.id = "f" + tag,
                       .kind = "finetune",
                       .parent = "p" + tag,
                       .config = finetune_config(0),
                       .summary = {{"val_top1", 80.0 + patch}}});
      auto folder = RunFolder::claim(out_, "f" + tag);
      Journal& journal = folder->open_journal(0);
      for (int epoch = 1; epoch <= patch; ++epoch)  // rises, and falls at the end
        journal.append({{"step", 10 * epoch},
                        {"epoch", epoch},
                        {"loss", 1.0 / epoch},
                        {"val.top1", epoch == patch ? 50.0 : 60.0 + epoch}});
    }
    const auto cell = [](const std::string& patch) {
      return sample_cell("mask.patch=" + patch, {{"mask.patch", std::stoi(patch)}},
                         Json::array({sample_chain(0, "p" + patch, "f" + patch)}));
    };
    write_plan(out_, sample_plan("demo", Json::array({cell("4"), cell("8")})));
    EXPECT_EQ(ingest_changes(out_ / "simmim.db", out_), "");
  }
  std::string look(const Words& words, int code = 0) {
    const Finished got = simmim_run(words + Words{"--out", out_.string()});
    EXPECT_EQ(got.code, code) << got.err;
    return code == 0 ? got.out : got.err;
  }
  TemporaryFolder folder_;
  fs::path out_ = folder_.path / "results";
};

TEST_F(LookAtRuns, ColumnsAreAnyKeyAndPointsOfCurves) {
  EXPECT_EQ(look({"runs", "kind=finetune", "--sort", "run", "--format", "csv", "--columns",
                  "run,mask.patch,max top1,last top1,first loss,min loss,top1@epoch=3,loss@step=50,finetune.lr"}),
            "run,mask.patch,max top1,last top1,first loss,min loss,top1@epoch=3,loss@step=50,finetune.lr\n"
            "f4,4,63,50,1,0.25,63,,0.001\n"
            "f8,8,67,50,1,0.125,63,0.2,0.001\n");
  EXPECT_EQ(look({"runs", "top1@epoch=5>0", "--ids"}), "f8\n");
  EXPECT_EQ(look({"runs", "\"max top1\">65 mask.patch=8", "--ids"}), "f8\n");
  EXPECT_EQ(look({"runs", "kind=finetune", "--sort", "-max top1", "--ids"}), "f8\nf4\n");
  EXPECT_EQ(look({"runs", "kind=finetune", "--sort", "mask.patch", "--ids", "--limit", "1"}), "f4\n");
  EXPECT_NE(look({"runs", "--columns", "max los"}, 2).find("did you mean 'loss'"), std::string::npos);
  EXPECT_NE(look({"runs", "--columns", "loss@epoch=x"}, 2).find("METRIC@epoch=N"), std::string::npos);
}

TEST_F(LookAtRuns, QueryAnswersInEveryFormat) {
  const Words query = {"query", "SELECT run, val_top1 FROM results WHERE run LIKE 'f%' ORDER BY 1"};
  const std::map<std::string, std::string> expected = {
      {"csv", "run,val_top1\nf4,84\nf8,88\n"},
      {"tsv", "run\tval_top1\nf4\t84\nf8\t88\n"},
      {"jsonl", "{\"run\":\"f4\",\"val_top1\":84.0}\n{\"run\":\"f8\",\"val_top1\":88.0}\n"}};
  for (const auto& [format, text] : expected) EXPECT_EQ(look(query + Words{"--format", format}), text) << format;
  EXPECT_EQ(Json::parse(look(query + Words{"--format", "json"})),
            Json::parse(R"([{"run": "f4", "val_top1": 84.0}, {"run": "f8", "val_top1": 88.0}])"));
  EXPECT_EQ(look(query + Words{"--json"}), look(query + Words{"--format", "json"}));
  EXPECT_NE(look(query + Words{"--format", "markdown"}).find("| f4  |       84 |"), std::string::npos)
      << look(query + Words{"--format", "markdown"});
  EXPECT_NE(look(query + Words{"--format", "latex"}).find("\\toprule"), std::string::npos);
  EXPECT_NE(look(query + Words{"--format", "table"}).find("f8"), std::string::npos);
  EXPECT_NE(look(query + Words{"--format", "xml"}, 2).find("markdown"), std::string::npos);
  EXPECT_NE(look({"query", "DROP TABLE runs"}, 2).find("only SELECT"), std::string::npos);
}

TEST_F(LookAtRuns, CompareShowsOfTwoCellsOnlyWhatDiffersAndTheirResults) {
  const std::string text = look({"compare", "demo:mask.patch=4", "demo:mask.patch=8", "--format", "csv"});
  EXPECT_EQ(text.substr(0, text.find("finetune.")),
            "key,demo:mask.patch=4,demo:mask.patch=8\nmask.patch,4,8\n");  // the only leaf; then the results
  EXPECT_NE(text.find("finetune.val.top1,84,88\n"), std::string::npos) << text;
}

TEST_F(LookAtRuns, WatchEndsByItselfAndSaysEachChangeOnce) {
  EXPECT_EQ(look({"runs", "kind=finetune", "--watch", "--sort", "run", "--columns", "run,state", "--format", "csv"}),
            "run,state\nf4,done\nf8,done\n");
  auto run = RunFolder::claim(out_, "r0");
  run->begin_attempt("pretrain", "", 0, Json::object());
  Process watching(
      {"runs", "--watch", "--sort", "run", "--columns", "run,state", "--format", "csv", "--out", out_.string()});
  Process status({"status", "--watch", "--out", out_.string()});
  ASSERT_TRUE(watching.wait_for_output("r0,running\n"));
  ASSERT_TRUE(status.wait_for_output("1 running"));
  run->end_attempt("done");
  run.reset();
  const Finished got = watching.finish(), said = status.finish();
  EXPECT_EQ(got.code, 0) << got.err;
  EXPECT_EQ(got.out, "run,state\nf4,done\nf8,done\np4,done\np8,done\nr0,running\nr0,done\n");
  EXPECT_EQ(said.code, 0) << said.err;
  EXPECT_NE(said.out.find("runs of no sweep: 1 done"), std::string::npos) << said.out;
}

TEST_F(LookAtRuns, SweepIsKnownByItsFileTooAndOneThatHasNotRunSaysHowToStartIt) {
  const std::string table = look({"table", "demo"});
  for (const std::string& name : {std::string("demo.json"), SIMMIM_SOURCE_DIR + std::string("/sweeps/demo.json")})
    EXPECT_EQ(look({"table", name}), table) << name;
  for (const char* command : {"table", "plot", "report", "status"})
    for (const char* name : {"masks", "small/masks", "small-masks"}) {
      const Finished got = simmim_run({command, name, "--out", out_.string()});
      EXPECT_EQ(got.code, 2) << command;
      const std::string said =
          fmt::format("sweep small-masks: nothing of it has run here; start it: simmim sweep {}", name);
      EXPECT_NE(got.err.find(said), std::string::npos) << command << ": " << got.err;
    }
  for (const char* command : {"table", "status"}) {
    const Finished got = simmim_run({command, "dmo", "--out", out_.string()});
    EXPECT_EQ(got.code, 2) << command;
    EXPECT_NE(got.err.find("no sweep is called dmo; did you mean 'demo'? known: demo"), std::string::npos) << got.err;
  }
}

TEST_F(LookAtRuns, ListThatIsEmptySaysWhy) {
  const Finished got = simmim_run({"runs", "state=don", "--out", out_.string()});
  EXPECT_EQ(got.code, 0);
  EXPECT_NE(got.err.find("none of 4 runs has state=don; did you mean 'done'?"), std::string::npos) << got.err;
  EXPECT_NE(got.err.find("next: simmim runs"), std::string::npos) << got.err;
}

// What ends with "next: " follows from the state of the run.
TEST_F(LookAtRuns, RunThatIsLostIsGoneOnWithAndNotFineTuned) {
  const auto next = [&](const Words& words) {
    const std::string err = simmim_run(words + Words{"--out", out_.string()}).err;
    return err.substr(err.find("next: "), err.find(" --out") - err.find("next: "));
  };
  EXPECT_EQ(next({"show", "p4"}), "next: simmim finetune --from p4");
  {
    auto folder = RunFolder::claim(out_, "lost");
    folder->write_config(
        {{"stage", "finetune"}, {"parent", "p4"}, {"given", {{"finetune.lr", 0.1}}}, {"config", finetune_config(0)}});
    folder->begin_attempt("finetune", "p4", 0, Json::object());
  }
  EXPECT_EQ(next({"show", "lost"}), "next: simmim finetune --from p4 finetune.lr=0.1");
  Json config = read_json_file(out_ / "runs/lost/config.json");
  config["weights"] = (out_ / "runs/p4/epoch-3.safetensors").string();
  write_file_atomically(out_ / "runs/lost/config.json", config.dump());
  EXPECT_EQ(next({"show", "lost"}), "next: simmim finetune --from p4@3 finetune.lr=0.1");
  EXPECT_EQ(next({"status"}), "next: simmim runs state=lost");
  Json plan = sample_plan(
      "live", Json::array({sample_cell("all", Json::object(), Json::array({sample_chain(0, "", "lost")}))}));
  plan["file"] = "sweeps/live.json";
  plan["seeds"] = Json::array({4});
  write_plan(out_, plan);
  EXPECT_EQ(next({"status"}), "next: simmim sweep sweeps/live.json");
  EXPECT_EQ(next({"show", "lost"}), "next: simmim sweep sweeps/live.json");
  make_folder(out_ / "sweeps/live/slurm");
  EXPECT_EQ(next({"status"}), "next: simmim sweep sweeps/live.json --executor slurm");
  EXPECT_EQ(next({"show", "lost"}), "next: simmim sweep sweeps/live.json --executor slurm");
}

TEST_F(LookAtRuns, RebuildNamesTheFoldersThatItSkips) {
  make_folder(out_ / "runs/empty");
  const Finished got = simmim_run({"db", "rebuild", "--out", out_.string()});
  EXPECT_NE(got.err.find("runs/empty: no run.json in it"), std::string::npos) << got.err;
}

TEST_F(LookAtRuns, MergedAttemptsAreShownWithTheirDifference) {
  const fs::path theirs = folder_.path / "theirs";
  write_run(theirs, {.id = "f4", .kind = "finetune", .config = finetune_config(0), .summary = {{"val_top1", 83.0}}});
  const Finished merged = simmim_run({"db", "merge", theirs.string(), "--out", out_.string()});
  EXPECT_EQ(merged.code, 0) << merged.err;
  EXPECT_NE(merged.err.find("f4: val_top1 is 84.0 here and 83.0 there, a difference of -1.0"), std::string::npos)
      << merged.err;
  const std::string text = look({"show", "f4"});
  EXPECT_NE(text.find("copies:"), std::string::npos) << text;
  EXPECT_NE(text.find("val_top1"), std::string::npos);
  EXPECT_EQ(look({"query", "SELECT count(*) FROM attempts WHERE run = 'f4' AND copy IS NOT NULL", "--format", "csv"}),
            "count(*)\n1\n");
}

}  // namespace
}  // namespace simmim
