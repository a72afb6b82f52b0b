#include "report/table.h"

#include <gtest/gtest.h>

#include <cmath>

#include "runs/database.h"
#include "runs/ingest.h"
#include "runs/sample_runs.h"
#include "temporary.h"

namespace simmim {
namespace {

// patch {4, 8} x ratio {0.4, 0.6} and scratch, three seeds. What a seed does to all cells is large, the noise small.
struct DemoSweep {
  TemporaryFolder folder;
  fs::path out = folder.path, path = folder.path / "simmim.db";
  Json plan;

  explicit DemoSweep(int seeds = 3, bool with_val = true, const std::string& missing = "",
                     const std::string& missing_state = "failed") {
    Json cells = Json::array();
    const auto add = [&](const std::string& name, const Json& values, int64_t patch, double ratio, double top1) {
      Json chains = Json::array();
      for (int64_t seed = 0; seed < seeds; ++seed) {
        const bool scratch = patch == 0;
        const std::string tag = fmt::format("{}-{}-{}", patch, ratio * 10, seed);
        if (!scratch)
          write_run(
              out,
              {.id = "p" + tag,
               .seed = seed,
               .config = pretrain_config(seed, patch, ratio),
               .summary = {{"images_seen", 4000}, {"steps", 40}, {"val_loss", 0.3 + 0.01 * static_cast<double>(patch)}},
               .metrics = 0});
        const double noise[] = {0.05, -0.08, 0.03};
        const double value =
            top1 + 3 * static_cast<double>(seed) + noise[(static_cast<size_t>(seed) + static_cast<size_t>(patch)) % 3];
        Json summary = {{"test_top1", value - 0.5},
                        {"test_top5", 99.0},
                        {"images_seen", 1000},
                        {"steps", 10},
                        {"test_images", 10000}};
        if (with_val) summary["val_top1"] = value, summary["val_images"] = 6000;
        const std::string id = "f" + tag;
        const bool failed = id == missing;
        write_run(out, {.id = id,
                        .kind = "finetune",
                        .parent = scratch ? "" : "p" + tag,
                        .seed = seed,
                        .config = finetune_config(seed, scratch ? "scratch" : "pretrain"),
                        .summary = failed ? Json::object() : summary,
                        .state = failed ? missing_state : "done",
                        .metrics = 0});
        chains.push_back(sample_chain(seed, scratch ? "" : "p" + tag, id));
      }
      cells.push_back(sample_cell(name, values, chains));
    };
    for (const int64_t patch : {4, 8})
      for (const double ratio : {0.4, 0.6})
        add(fmt::format("mask.patch={} mask.ratio={}", patch, ratio),
            {{"case", "masked"}, {"mask.patch", patch}, {"mask.ratio", ratio}}, patch, ratio,
            80 + 0.5 * static_cast<double>(patch) + (ratio == 0.6 ? 0.02 : 0.0));
    add("scratch", {{"case", "scratch"}}, 0, 0, 70);
    plan = sample_plan("demo", cells);
    plan["axes"] = {"case", "mask.patch", "mask.ratio"};
    plan["seeds"] = Json::array();
    for (int seed = 0; seed < seeds; ++seed) plan["seeds"].push_back(seed);
    plan["table"]["baseline"] = {{"mask.patch", 8}, {"mask.ratio", 0.6}};
    write_plan(out, plan);
    EXPECT_EQ(ingest_changes(path, out), "");
  }
  ComparisonTable table(const TableOptions& options = {}) const {
    return make_table(open_for_reading(path, out), "demo", options);
  }
};

const TableEntry& entry_of(const ComparisonTable& table, const std::string& cell) {
  for (const TableEntry& entry : table.values[0].entries)
    if (entry.cell == cell) return entry;
  throw std::logic_error("no such cell: " + cell);
}
const TableEntry& entry_of(ComparisonTable&&, const std::string&) = delete;  // it would be gone

bool has_note(const ComparisonTable& table, const std::string& part) {
  for (const std::string& note : table.values[0].notes)
    if (note.find(part) != std::string::npos) return true;
  return false;
}

TEST(ComparisonTable, AveragesOverSeedsAndComparesWithTheBaselineInOneModel) {
  const DemoSweep sweep;
  const ComparisonTable table = sweep.table();
  const ValueTable& values = table.values[0];
  EXPECT_EQ(values.metric, "val_top1");
  EXPECT_EQ(values.rows, (std::vector<std::string>{"4", "8"}));
  EXPECT_EQ(values.columns, (std::vector<std::string>{"0.4", "0.6"}));
  EXPECT_EQ(values.groups, (std::vector<std::string>{""}));
  const TableEntry& low = entry_of(table, "mask.patch=4 mask.ratio=0.4");
  EXPECT_NEAR(low.mean, 85.0, 1e-9);
  EXPECT_NEAR(low.deviation, 3.0, 0.2);
  ASSERT_TRUE(low.difference);
  EXPECT_NEAR(low.difference->value, -2.02, 1e-9);
  EXPECT_EQ(low.difference->df, 8);
  EXPECT_TRUE(low.shown);
  EXPECT_GE(low.corrected_p, low.difference->p);
  const TableEntry& near = entry_of(table, "mask.patch=8 mask.ratio=0.4");
  EXPECT_FALSE(near.shown);
  EXPECT_TRUE(entry_of(table, "mask.patch=8 mask.ratio=0.6").best);
  EXPECT_TRUE(entry_of(table, "mask.patch=8 mask.ratio=0.6").baseline);
  EXPECT_TRUE(near.near_best);  // marked as what cannot be told from the best
  EXPECT_FALSE(low.near_best);
  EXPECT_NE(render_table(table, "text").find(" (3) ≈"), std::string::npos);
  EXPECT_TRUE(has_note(table, "cannot be told from the best"));
  EXPECT_TRUE(has_note(table, "one additive model"));
  EXPECT_TRUE(has_note(table, "smallest difference"));
  EXPECT_TRUE(has_note(table, "sampling error of the validation set"));
}

TEST(ComparisonTable, NeitherBoldsNorTestsACellWithASeedMissing) {
  const DemoSweep sweep(3, true, "f8-6-1");
  const ComparisonTable table = sweep.table({.baseline = {{"mask.patch", 4}, {"mask.ratio", 0.6}}});
  const TableEntry& entry = entry_of(table, "mask.patch=8 mask.ratio=0.6");
  EXPECT_FALSE(entry.complete);
  EXPECT_FALSE(entry.best);
  EXPECT_FALSE(entry.difference);
  EXPECT_EQ(entry.failed, 1);
  EXPECT_TRUE(entry_of(table, "mask.patch=8 mask.ratio=0.4").best);
  const std::string text = render_table(table, "text");
  EXPECT_NE(text.find("(2/3)"), std::string::npos);
  EXPECT_NE(text.find("incomplete, not tested"), std::string::npos);
}

TEST(ComparisonTable, SaysHowManyRunsWereStoppedAndAveragesNoneOfThem) {
  const DemoSweep sweep(3, true, "f8-6-1", "stopped");
  const ComparisonTable table = sweep.table();
  const TableEntry& entry = entry_of(table, "mask.patch=8 mask.ratio=0.6");
  EXPECT_EQ(entry.by_seed.size(), 2u);
  EXPECT_FALSE(entry.complete);
  EXPECT_TRUE(has_note(table, "1 run was stopped before the end (stop_if) and in no mean"));
}

TEST(ComparisonTable, MarksATunedValueAtTheEdgeOfItsList) {
  DemoSweep sweep(2);
  Json trial = sample_plan("demo-tune", Json::array());
  trial["axes"] = {"case", "mask.patch", "mask.ratio", "finetune.lr"};
  trial["table"] = {{"rows", "finetune.lr"}, {"value", "finetune.val.top1"}};
  trial["seeds"] = {100};
  for (const double lr : {1e-3, 5e-4, 2e-3})
    trial["cells"].push_back(sample_cell(fmt::format("finetune.lr={}", lr), {{"finetune.lr", lr}},
                                         Json::array({sample_chain(100, "", "t")})));
  write_plan(sweep.out, trial);
  const double best[] = {5e-4, 1e-3, 2e-3, 1e-3};
  for (size_t i = 0; i < 4; ++i) sweep.plan["cells"][i]["values"]["finetune.lr"] = best[i];
  sweep.plan["revision"] = 2;
  write_plan(sweep.out, sweep.plan);
  EXPECT_EQ(ingest_changes(sweep.path, sweep.out), "");
  const ComparisonTable table = sweep.table();
  EXPECT_TRUE(entry_of(table, "mask.patch=4 mask.ratio=0.4").tuned_edge);
  EXPECT_FALSE(entry_of(table, "mask.patch=4 mask.ratio=0.6").tuned_edge);
  EXPECT_TRUE(entry_of(table, "mask.patch=8 mask.ratio=0.4").tuned_edge);
  EXPECT_FALSE(entry_of(table, "scratch").tuned_edge);
  EXPECT_TRUE(has_note(table, "tuned: finetune.lr of 0.001, 0.0005, 0.002 by finetune.val.top1 on seeds [100]"));
  EXPECT_TRUE(has_note(table, "at edge: the best finetune.lr is the smallest or the largest tried"));
  const std::string text = render_table(table, "text");
  EXPECT_NE(text.find("at edge"), std::string::npos);
  EXPECT_FALSE(has_note(DemoSweep(2).table(), "tuned"));
}

TEST(ComparisonTable, OfOneSeedHasNoSpreadAndNoTest) {
  const DemoSweep sweep(1);
  const ComparisonTable table = sweep.table();
  EXPECT_EQ(table.values[0].test, "");
  EXPECT_TRUE(std::isnan(entry_of(table, "scratch").deviation));
  EXPECT_TRUE(has_note(table, "one seed"));
  EXPECT_NE(render_table(table, "text").find(" (1) *"), std::string::npos);
}

TEST(ComparisonTable, SetsCellsWithoutAnAxisApartAndMarksOtherBudgets) {
  const DemoSweep sweep;
  const ComparisonTable table = sweep.table();
  EXPECT_TRUE(entry_of(table, "scratch").other_budget);
  EXPECT_FALSE(entry_of(table, "mask.patch=4 mask.ratio=0.4").other_budget);
  const std::string text = render_table(table, "markdown");
  EXPECT_NE(text.find("| scratch |"), std::string::npos);
  EXPECT_NE(text.find("≠ budget"), std::string::npos);
  EXPECT_NE(text.find("**87.02 ± "), std::string::npos);
}

TEST(ComparisonTable, MakesAxesThatAreInNeitherRowsNorColumnsGroups) {
  const DemoSweep sweep;
  const ComparisonTable table = sweep.table({.rows = "mask.patch", .columns = "case"});
  EXPECT_EQ(table.group_keys, (std::vector<std::string>{"mask.ratio"}));
  EXPECT_EQ(table.values[0].groups, (std::vector<std::string>{"mask.ratio=0.4", "mask.ratio=0.6"}));
}

TEST(ComparisonTable, OfTestResultsMarksTheCellThatValidationChose) {
  const DemoSweep sweep;
  const ComparisonTable table = sweep.table({.split = "test"});
  EXPECT_EQ(table.values[0].metric, "test_top1");
  EXPECT_TRUE(entry_of(table, "mask.patch=8 mask.ratio=0.6").chosen);
  EXPECT_TRUE(has_note(table, "validation split chooses"));
  EXPECT_TRUE(has_note(table, "sampling error of the test set: ± 0.3"));
}

TEST(ComparisonTable, WithoutAValidationSplitSaysThatItChoosesOnTheTestSet) {
  const DemoSweep sweep(2, false);
  const ComparisonTable table = sweep.table();
  EXPECT_EQ(table.values[0].metric, "test_top1");
  EXPECT_TRUE(has_note(table, "no validation split"));
}

TEST(ComparisonTable, ShowsThePapersDifferenceWithItsSignWhereTheSetUpIsNotThePapers) {
  const DemoSweep sweep;
  const ComparisonTable table = sweep.table();
  const TableEntry& four = entry_of(table, "mask.patch=4 mask.ratio=0.6");
  ASSERT_TRUE(four.paper);
  EXPECT_FALSE(four.paper->comparable);
  EXPECT_FALSE(four.paper->verified);
  EXPECT_NEAR(four.paper->difference, -0.1, 1e-9);  // 82.0 against 82.1, which is the paper's of our baseline
  EXPECT_EQ(four.paper->verdict, "same sign");
  EXPECT_EQ(entry_of(table, "mask.patch=8 mask.ratio=0.4").paper->verdict, "no difference shown");
  EXPECT_FALSE(entry_of(table, "scratch").paper);
  EXPECT_NE(render_table(table, "text").find("−0.1?, same sign"), std::string::npos);
  EXPECT_TRUE(has_note(table, "? = not verified"));
}

TEST(ComparisonTable, SetsNothingOfThePaperBesideACellThatDiffersInWhatItsTableKeeps) {
  const DemoSweep sweep;
  Json config = pretrain_config(0, 4, 0.6);
  config["head"] = {{"name", "mlp"}};
  write_run(sweep.out, {.id = "p4-6-0", .seed = 0, .config = config, .summary = {{"images_seen", 4000}}, .metrics = 0});
  ASSERT_EQ(ingest_changes(sweep.path, sweep.out), "");
  const ComparisonTable table = sweep.table();
  EXPECT_FALSE(entry_of(table, "mask.patch=4 mask.ratio=0.6").paper);
  EXPECT_TRUE(entry_of(table, "mask.patch=4 mask.ratio=0.4").paper);
}

TEST(ComparisonTable, TakesKeysForTheNameOfTheBaseline) {
  const DemoSweep sweep;
  const ComparisonTable table = sweep.table({.baseline = "mask.patch=4 mask.ratio=0.4"});
  EXPECT_TRUE(entry_of(table, "mask.patch=4 mask.ratio=0.4").baseline);
  const ComparisonTable same = sweep.table({.baseline = "mask.ratio=0.4 mask.patch=4"});
  EXPECT_TRUE(entry_of(same, "mask.patch=4 mask.ratio=0.4").baseline);
}

TEST(ComparisonTable, TakesTheNameOfACellOfACaseForTheBaselineThoughItIsNoCondition) {
  DemoSweep sweep;
  for (Json& cell : sweep.plan["cells"])
    if (cell["cell"] != "scratch") cell["cell"] = "masked " + cell["cell"].get<std::string>();
  sweep.plan["revision"] = 2;
  write_plan(sweep.out, sweep.plan);
  ASSERT_EQ(ingest_changes(sweep.path, sweep.out), "");
  const ComparisonTable table = sweep.table({.baseline = "masked mask.patch=8 mask.ratio=0.4"});
  EXPECT_EQ(table.values[0].baseline, "masked mask.patch=8 mask.ratio=0.4");
  EXPECT_TRUE(entry_of(table, "masked mask.patch=8 mask.ratio=0.6").difference);
}

TEST(ComparisonTable, ShowsThePapersValueWhereTheSetUpIsThePapers) {
  DemoSweep sweep;
  Json config = pretrain_config(0, 32, 0.6);
  config["data"] = {{"name", "image_folder"}, {"image_size", 192}};
  config["encoder"] = {{"name", "swin"}, {"dim", 128}, {"depths", {2, 2, 18, 2}}};
  config["target"]["resolution"] = 192;
  const Json entry = {{"kind", "pretrain"}, {"config", config}, {"plan", {{"images", 128000000}}}};
  Json plan = sample_plan(
      "real", Json::array({sample_cell("a", {{"mask.ratio", 0.6}}, Json::array({sample_chain(0, "pp", "ff")}))}),
      {{"pp", entry}, {"ff", {{"kind", "finetune"}, {"parent", "pp"}, {"config", finetune_config(0)}}}});
  plan["runs"]["ff"]["config"]["data"] = config["data"];
  plan["runs"]["ff"]["config"]["finetune"]["epochs"] = 100;
  plan["runs"]["ff"]["config"]["encoder"] = config["encoder"];
  plan["seeds"] = {0};
  ASSERT_EQ(ingest_plan(sweep.path, write_plan(sweep.out, plan)), "");
  const ComparisonTable table = make_table(open_for_reading(sweep.path, sweep.out), "real", {.split = "test"});
  ASSERT_TRUE(table.values[0].entries[0].paper);
  EXPECT_TRUE(table.values[0].entries[0].paper->comparable);
  EXPECT_EQ(table.values[0].entries[0].paper->value, 82.8);
  Statement cell = open_for_reading(sweep.path, sweep.out)
                       .prepare("SELECT paper FROM cells WHERE sweep = 'real' AND metric = 'test.top1'");
  ASSERT_TRUE(cell.step());
  EXPECT_EQ(cell.real(0), 82.8);
}

TEST(ComparisonTable, ComparesLossesOnlyWithinOneMaskAndTarget) {
  const DemoSweep sweep;
  const ComparisonTable table = sweep.table({.values = {"pretrain.val.loss"}});
  EXPECT_EQ(table.values[0].entries.size(), 4u);  // scratch has no pre-training
  EXPECT_FALSE(table.values[0].larger_is_better);
  for (const TableEntry& entry : table.values[0].entries) EXPECT_FALSE(entry.best || entry.difference);
  EXPECT_TRUE(has_note(table, "not comparable"));
}

TEST(ComparisonTable, ShowsTheLastValueOfACurveThatIsNoColumn) {
  const DemoSweep sweep;
  for (const int64_t patch : {4, 8})
    for (const char* ratio : {"4", "6"})
      for (int64_t seed = 0; seed < 3; ++seed) {
        auto folder = RunFolder::claim(sweep.out, fmt::format("p{}-{}-{}", patch, ratio, seed));
        Journal& journal = folder->open_journal(0);
        for (const int step : {1, 2})
          journal.append({{"step", step}, {"epoch", step}, {"val.perplexity", 40.0 / step}});
        folder->replace_record(folder->record());
      }
  ASSERT_EQ(ingest_changes(sweep.path, sweep.out), "");
  const ComparisonTable table =
      sweep.table({.values = {"pretrain.val.perplexity"}, .where = "mask.ratio=0.6 mask.patch=4"});
  ASSERT_EQ(table.values[0].entries.size(), 1u);
  EXPECT_EQ(table.values[0].metric, "val.perplexity");
  EXPECT_FALSE(table.values[0].larger_is_better);
  EXPECT_NEAR(table.values[0].entries[0].mean, 20, 1e-9);
  EXPECT_TRUE(has_note(sweep.table({.values = {"pretrain.val.perplexity"}}), "not comparable"));
  EXPECT_NE(error_of(Code::usage, [&] { sweep.table({.values = {"pretrain.val.perplexit"}}); })
                .find("did you mean 'val.perplexity'"),
            std::string::npos);
}

TEST(ComparisonTable, TakesFiltersSeveralValuesAndMoreColumns) {
  const DemoSweep sweep;
  const ComparisonTable table =
      sweep.table({.values = {"top1", "finetune.seconds"}, .where = "mask.patch=8", .show = {"n", "gpu_hours"}});
  EXPECT_EQ(table.values.size(), 2u);
  EXPECT_EQ(table.values[0].entries.size(), 2u);
  EXPECT_EQ(table.values[0].test, "paired t-test over seeds");
  EXPECT_EQ(table.values[0].df, 2);
  EXPECT_NE(render_table(table, "text").find("gpu_hours"), std::string::npos);
}

TEST(ComparisonTable, NamesWhatItDoesNotKnow) {
  const DemoSweep sweep;
  EXPECT_NE(error_of(Code::usage, [&] { make_table(open_for_reading(sweep.path, sweep.out), "demos", {}); })
                .find("did you mean 'demo'"),
            std::string::npos);
  EXPECT_NE(error_of(Code::usage, [&] { sweep.table({.rows = "mask.patches"}); }).find("did you mean 'mask.patch'"),
            std::string::npos);
  EXPECT_NE(error_of(Code::usage, [&] { sweep.table({.values = {"val.top3"}}); }).find("unknown"), std::string::npos);
  EXPECT_NE(error_of(Code::usage, [&] { sweep.table({.baseline = "nothing"}); }).find("fits no cell"),
            std::string::npos);
  EXPECT_NE(error_of(Code::usage, [&] { sweep.table({.split = "train"}); }).find("val or test"), std::string::npos);
  EXPECT_NE(error_of(Code::usage, [&] { sweep.table({.show = {"gpus"}}); }).find("unknown"), std::string::npos);
}

TEST(ComparisonTable, IsTheSameInEveryFormat) {
  const DemoSweep sweep;
  const ComparisonTable table = sweep.table();
  const Json json = Json::parse(render_table(table, "json"));
  EXPECT_EQ(json["tables"][0]["cells"].size(), 5u);
  EXPECT_NEAR(json["tables"][0]["cells"][0]["mean"].get<double>(), 85.0, 1e-9);
  const std::string csv = render_table(table, "csv");
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 6);
  EXPECT_NE(render_table(table, "latex").find("\\textbf{87.02 $\\pm$"), std::string::npos);
  EXPECT_NE(render_table(table, "html").find("<b>87.02 ± "), std::string::npos);
}

}  // namespace
}  // namespace simmim
