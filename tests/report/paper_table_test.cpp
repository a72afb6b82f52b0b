#include "report/paper_table.h"

#include <gtest/gtest.h>

#include <cmath>

#include "masks/distance.h"
#include "masks/mask.h"
#include "report/table_marks.h"
#include "runs/database.h"
#include "runs/ingest.h"
#include "runs/sample_runs.h"

namespace simmim {
namespace {

// The paper's ablation set-up, as a run's configuration holds it.
Json paper_pretraining(int64_t seed, const std::string& area) {
  return {{"seed", seed},
          {"method", {{"name", "simmim"}}},
          {"data", {{"name", "image_folder"}, {"image_size", 192}}},
          {"encoder", {{"name", "swin"}, {"preset", "swin_base"}, {"dim", 128}, {"depths", {2, 2, 18, 2}}}},
          {"mask", {{"name", "random"}, {"patch", 32}, {"ratio", 0.6}}},
          {"head", {{"name", "linear"}}},
          {"target", {{"name", "pixels"}, {"resolution", 192}}},
          {"loss", {{"name", "l1"}, {"area", area}}},
          {"pretrain", {{"epochs", 100}, {"batch_size", 2048}}}};
}

Json paper_finetuning(int64_t seed, int64_t epochs = 100) {
  Json config = paper_pretraining(seed, "masked");
  for (const char* section : {"mask", "head", "target", "loss", "pretrain"}) config.erase(section);
  config["finetune"] = {{"from", "pretrain"}, {"epochs", epochs}};
  return config;
}

struct PaperRuns {
  TemporaryFolder folder;
  fs::path out = folder.path, path = folder.path / "simmim.db";
  void add(const std::string& tag, int64_t seed, const std::string& area, double top1, double images = 128e6,
           int64_t epochs = 100) const {
    write_run(out, {.id = "p" + tag,
                    .seed = seed,
                    .config = paper_pretraining(seed, area),
                    .summary = {{"images_seen", images}, {"parameters", 89874104}, {"images_per_second", 1000.0}},
                    .metrics = 0});
    write_run(out, {.id = "f" + tag,
                    .kind = "finetune",
                    .parent = "p" + tag,
                    .seed = seed,
                    .config = paper_finetuning(seed, epochs),
                    .summary = {{"test_top1", top1}},
                    .metrics = 0});
  }
  PaperComparison table(const std::string& name) const {
    EXPECT_EQ(ingest_changes(path, out), "");
    return compare_with_paper(open_for_reading(path, out), name);
  }
};

const PaperRow& row_of(const PaperComparison& comparison, const std::string& cell) {
  for (const PaperRow& row : comparison.rows)
    if (row.paper->cell == cell) return row;
  throw std::logic_error("no such row: " + cell);
}

TEST(PaperTable, ShowsRunsUnderThePapersConditionsBesideItsValueAndTheDifference) {
  const PaperRuns runs;
  runs.add("a0", 0, "masked", 82.9);
  runs.add("a1", 1, "masked", 82.7);
  runs.add("few", 2, "masked", 70, 1e6);          // other images seen
  runs.add("short", 3, "masked", 71, 128e6, 50);  // another fine-tuning
  const PaperComparison table = runs.table("paper/5");
  const PaperRow& masked = row_of(table, "loss.area=masked");
  EXPECT_EQ(masked.by_seed, (std::map<int64_t, double>{{0, 82.9}, {1, 82.7}}));
  EXPECT_TRUE(row_of(table, "loss.area=all").by_seed.empty());
  const Json rows = Json::parse(render_paper(table, "json"));
  EXPECT_NEAR(rows[0]["ours"].get<double>(), 82.8, 1e-9);
  EXPECT_NEAR(rows[0]["difference"].get<double>(), 0, 1e-9);
  EXPECT_EQ(rows[0]["n"], 2);
  EXPECT_EQ(rows[0]["runs"], "fa0 fa1");
  EXPECT_TRUE(rows[1]["ours"].is_null());
  const std::string text = render_paper(table, "text");
  EXPECT_NE(text.find("82.80 ± 0.14 (2)"), std::string::npos) << text;
}

TEST(PaperTable, ShowsTheCommandThatFillsAnEmptyCellAndNoneForWhatWeCannotRun) {
  const PaperRuns runs;
  for (const PaperTable& table : paper_tables()) {
    const PaperComparison comparison = runs.table(table.name);
    ASSERT_FALSE(comparison.rows.empty()) << table.name;
    for (const PaperRow& row : comparison.rows) {
      const std::string method = row.paper->values.value("method.name", "simmim");
      const std::string preset = row.paper->values.value("encoder.preset", "swin_base");
      const bool runnable = method == "simmim" && row.paper->values.value("target.name", "") != "dvae_tokens" &&
                            preset.starts_with("swin_") && row.paper->values.value("finetune.from", "") != "scratch";
      EXPECT_EQ(row.command.starts_with("simmim sweep " + table.name), runnable)
          << table.name << " " << row.paper->cell;
    }
  }
  EXPECT_EQ(row_of(runs.table("paper/1"), "mask.name=random mask.patch=32 mask.ratio=0.5").command,
            "simmim sweep paper/1 --only 'mask.name=random mask.patch=32 mask.ratio=0.5'");
}

TEST(PaperTable, MarksUnverifiedValues) {
  const PaperRuns runs;
  const std::string text = render_paper(runs.table("paper/1"), "markdown");
  EXPECT_NE(text.find("| random "), std::string::npos);
  EXPECT_NE(text.find(" 83.0? |"), std::string::npos) << text;
  EXPECT_NE(text.find(" 82.8 |"), std::string::npos);  // the default cell, the one that is verified
  EXPECT_NE(text.find("? = not verified"), std::string::npos);
}

TEST(PaperTable, OfHeadsHasParametersAndTheMeasuredCost) {
  const PaperRuns runs;
  runs.add("a0", 0, "masked", 82.9);
  Json config = paper_pretraining(0, "masked");
  config["head"] = {{"name", "mlp"}, {"hidden", 1024}};
  write_run(runs.out, {.id = "pm",
                       .config = config,
                       .summary = {{"images_seen", 128e6}, {"parameters", 90923704}, {"images_per_second", 800.0}},
                       .metrics = 0});
  write_run(runs.out, {.id = "fm",
                       .kind = "finetune",
                       .parent = "pm",
                       .config = paper_finetuning(0),
                       .summary = {{"test_top1", 82.5}},
                       .metrics = 0});
  const PaperComparison table = runs.table("paper/2");
  const PaperRow& mlp = row_of(table, "head.name=mlp");
  EXPECT_EQ(mlp.measures.at("parameters").ours, 90923704);
  EXPECT_EQ(mlp.measures.at("parameters").paper->value, 90900000);
  EXPECT_NEAR(*mlp.measures.at("cost").ours, 1.25, 1e-12);
  EXPECT_FALSE(mlp.measures.at("cost").paper->verified);
  EXPECT_TRUE(row_of(table, "head.name=inverse_swin head.size=base").measures.at("cost").paper->verified);
}

// A sweep over the loss's area under other conditions than the paper's, whose cell of all pixels is 5 points worse.
void write_area_sweep(const PaperRuns& runs, const char* baseline) {
  Json cells = Json::array();
  for (const std::string area : {"masked", "all"}) {
    Json chains = Json::array();
    for (const int64_t seed : {0, 1, 2}) {
      const std::string tag = area + std::to_string(seed);
      Json config = pretrain_config(seed);
      config["loss"]["area"] = area;
      write_run(runs.out, {.id = "p" + tag, .seed = seed, .config = config, .metrics = 0});
      const double noise[] = {0.1, -0.1, 0.05};
      write_run(runs.out, {.id = "f" + tag,
                           .kind = "finetune",
                           .parent = "p" + tag,
                           .seed = seed,
                           .config = finetune_config(seed),
                           .summary = {{"val_top1", (area == "all" ? 80 + noise[seed] : 85)}},
                           .metrics = 0});
      chains.push_back(sample_chain(seed, "p" + tag, "f" + tag));
    }
    cells.push_back(sample_cell("loss.area=" + area, {{"loss.area", area}}, chains));
  }
  Json plan = sample_plan("small-area", cells);
  plan["paper"] = "paper/5";
  plan["axes"] = {"loss.area"};
  plan["seeds"] = {0, 1, 2};
  plan["table"] = {{"rows", "loss.area"}, {"value", "finetune.val.top1"}, {"baseline", {{"loss.area", baseline}}}};
  write_plan(runs.out, plan);
}

TEST(PaperTable, SetsDifferencesOfASweepUnderOtherConditionsBesideThePapers) {
  const PaperRuns runs;
  write_area_sweep(runs, "masked");
  const PaperComparison table = runs.table("paper/5");
  EXPECT_EQ(table.sweeps, (std::vector<std::string>{"small-area"}));
  EXPECT_EQ(row_of(table, "loss.area=masked").elsewhere.at("small-area"), "default");
  const std::string all = row_of(table, "loss.area=all").elsewhere.at("small-area");
  EXPECT_TRUE(all.starts_with("−4.98 ± 0.2") && all.ends_with(", same sign")) << all;
  EXPECT_NE(render_paper(table, "text").find("−1.1"), std::string::npos);
}

TEST(PaperTable, JudgesASweepsDifferenceByThePapersThatStandsBesideIt) {
  const PaperRuns runs;
  write_area_sweep(runs, "all");
  const PaperComparison table = runs.table("paper/5");
  EXPECT_EQ(row_of(table, "loss.area=all").elsewhere.at("small-area"), "default");
  const std::string masked = row_of(table, "loss.area=masked").elsewhere.at("small-area");  // the paper's own default
  EXPECT_TRUE(masked.starts_with("+4.98 ± 0.2") && masked.find(',') == std::string::npos) << masked;
}

TEST(PaperVerdict, ComparesTheSignOfADifferenceThatIsShownWithThePapers) {
  TableEntry entry;
  EXPECT_EQ(paper_verdict(entry, 1), "");
  entry.difference = Difference{};
  entry.difference->value = -0.5;
  EXPECT_EQ(paper_verdict(entry, -1), "no difference shown");
  entry.shown = true;
  EXPECT_EQ(paper_verdict(entry, -1), "same sign");
  EXPECT_EQ(paper_verdict(entry, 1), "other sign");
  EXPECT_EQ(paper_verdict(entry, 0), "the paper has none");
}

TEST(PaperTable, NamesWhatItDoesNotKnow) {
  const PaperRuns runs;
  EXPECT_THROW(runs.table("paper/9"), Error);
}

// The simulated distances of the table are those of our own masks, within what a hundred masks tell.
TEST(PaperTable, HasTheAvgDistOfOurMasks) {
  int64_t compared = 0;
  for (const PaperValue& value : find_paper_table("paper/1")->values) {
    if (value.metric != "avg_dist") continue;
    const int64_t patch = value.values["mask.patch"];
    const auto generator = make_masks(
        {{"data", {{"image_size", 192}}},
         {"encoder", {{"patch", 4}}},
         {"mask", {{"name", value.values["mask.name"]}, {"patch", patch}, {"ratio", value.values["mask.ratio"]}}}});
    double sum = 0;
    constexpr int kMasks = 100;
    for (uint64_t i = 0; i < kMasks; ++i) {
      Rng rng(0, "test of AvgDist", 0, i);
      sum += avg_dist(generator->generate(rng), generator->grid(), patch);
    }
    EXPECT_NEAR(sum / kMasks / value.value, 1, value.values["mask.name"] == "random" ? 0.04 : 0.08) << value.cell;
    ++compared;
  }
  EXPECT_EQ(compared, 27);
}

}  // namespace
}  // namespace simmim
