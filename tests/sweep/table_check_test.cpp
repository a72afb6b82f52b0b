#include "sweep/table_check.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "sweep/stand_in.h"

namespace simmim {
namespace {

// "accepted", or why the table is refused.
std::string check(const char* table, SweepFile sweep) {
  sweep.table = Json::parse(table);
  try {
    check_table(sweep, make_plan(sweep, {}, resolve));
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::usage);
    return error.what();
  }
  return "accepted";
}

// Of mask.patch 4 and 8, fine-tuned.
std::string check(const char* table) {
  return check(table, sweep_of({cell({{"mask.patch", 4}, {"mask.ratio", 0.6}}), cell({{"mask.patch", 8}})}));
}

TEST(TableCheck, TakesAxesLeavesStagesAndCellsThatAreThere) {
  EXPECT_EQ(check(R"({"rows": "mask.patch", "columns": "mask.ratio", "groups": ["seed"],
                      "value": ["finetune.val.top1", "top1", "pretrain.val.loss", "finetune.val.perplexity"],
                      "baseline": {"mask.patch": 8}})"),
            "accepted");
  EXPECT_EQ(check(R"({"baseline": "mask.patch=8"})"), "accepted");
  EXPECT_EQ(check("{}"), "accepted");
}

TEST(TableCheck, RefusesWhatOnlyTheTableWouldFindAndSaysWhatIsThere) {
  const auto says = [](const char* table, const std::string& part) {
    EXPECT_NE(check(table).find(part), std::string::npos) << table << " -> " << check(table);
  };
  says(R"({"row": "mask.patch"})", "sweep.table.row: unknown key; did you mean 'rows'?");
  says(R"({"rows": "mask.rato"})", "sweep.table.rows: mask.rato is neither an axis");
  says(R"({"rows": "mask.rato"})", "did you mean 'mask.ratio'?");
  says(R"({"groups": ["mask.patch", "mask.nme"]})", "sweep.table.groups: mask.nme");
  says(R"({"value": "probe.val.top1"})", "of a stage that this sweep does not run; stages: pretrain or finetune");
  says(R"({"value": "finetune.val.tpo1"})", "did you mean 'val_top1'?");
  says(R"({"baseline": {"mask.patch": 16}})",
       R"(sweep.table.baseline: {"mask.patch":16} fits no cell; cells: mask.patch=4)");
  says(R"({"baseline": 3})", "allowed: a cell's name");
}

TEST(TableCheck, KnowsTheCurvesOfTheJournals) {
  for (const char* curve : {"finetune.val.top5", "val.top1", "top5", "lr", "grad_norm", "data_wait", "loss",
                            "pretrain.val.accuracy", "pretrain.val.perplexity", "images_per_second"})
    EXPECT_EQ(check(Json{{"value", curve}}.dump().c_str()), "accepted") << curve;
  EXPECT_NE(check(R"({"value": "grad_nrom"})").find("did you mean 'grad_norm'?"), std::string::npos);
}

// Two patches, pre-trained and from scratch: a plan of three cells, as a scratch has no patch.
TEST(TableCheck, KnowsThatCellsWithTheSameRunsAreOne) {
  std::vector<Cell> cells;
  for (const int patch : {4, 8})
    for (const char* name : {"pre", "scratch"}) {
      Cell& one = cells.emplace_back(cell({{"case", name}, {"mask.patch", patch}}));
      one.set = {{"mask.patch", patch}, {"finetune.from", name == std::string("pre") ? "pretrain" : "scratch"}};
    }
  const SweepFile sweep = sweep_of(cells);
  EXPECT_EQ(check(R"({"baseline": "scratch"})", sweep), "accepted");
  EXPECT_EQ(check(R"({"baseline": {"case": "scratch"}})", sweep), "accepted");
  EXPECT_EQ(check(R"({"baseline": "pre mask.patch=8"})", sweep), "accepted");
  EXPECT_EQ(
      check(R"({"baseline": {"case": "scratch", "mask.patch": 8}})", sweep),
      R"(sweep.table.baseline: {"case":"scratch","mask.patch":8} fits no cell; cells whose runs are the same are )"
      "one, with the values that they share; cells: pre mask.patch=4; scratch; pre mask.patch=8");
}

}  // namespace
}  // namespace simmim
