#include "sweep/table_check.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "sweep/stand_in.h"

namespace simmim {
namespace {

// "accepted", or why the table is refused; for a sweep of mask.patch 4 and 8, fine-tuned.
std::string check(const char* table) {
  SweepFile sweep = sweep_of({cell({{"mask.patch", 4}, {"mask.ratio", 0.6}}), cell({{"mask.patch", 8}})});
  sweep.table = Json::parse(table);
  try {
    check_table(sweep, resolve_cells(sweep, {}, resolve));
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::usage);
    return error.what();
  }
  return "accepted";
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

}  // namespace
}  // namespace simmim
