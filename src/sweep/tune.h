// "tune" in a sweep file. The trying is an ordinary sweep called NAME-tune (its own plan, table and status; its runs
// are shared, reused and resumed like any other's) that comes first; then each cell is set to its best and the plan of
// NAME holds the cells that have one.
#pragma once
#include "sweep/grid.h"
#include "sweep/plan.h"

namespace simmim {

inline constexpr const char* kTuningSuffix = "-tune";

// {"finetune.lr": [..], "by": "finetune.val.top1", "seeds": [100]}: the lists' product. Code::usage for what cannot be.
Tuning read_tuning(Json tune, const SweepFile& sweep);

// Every cell of `sweep`, which tunes, with every value it may get. Code::usage if `options` set a tuned key or use a
// tuning seed for the table.
SweepFile tuning_sweep(const SweepFile& sweep, const PlanOptions& options);

struct Untuned {
  std::vector<std::string> untried;  // cells some of whose tuning runs are still to do
  std::vector<std::string> failed;   // cells none of whose values ended well
};

// tried: resolve_cells(tuning_sweep(..)). Sets each cell to the value whose runs have the best mean (a loss: the
// smallest; of equals the first listed), notes it in cell.tuned, {"by","set":{leaf: value},"candidates":[{"set","value"
// (null: a run of it failed or was stopped),"runs":[ids]}]}, and takes cells without one out of `sweep`. Values that
// make no difference to a cell leave it as it is. Code::run_failed if a finished run does not have the metric.
Untuned apply_tuning(SweepFile& sweep, const Json& tried, const fs::path& out);

// A stand-in for what is not known yet, to count runs and their cost: every cell gets the first value.
void assume_first_value(SweepFile& sweep);

}  // namespace simmim
