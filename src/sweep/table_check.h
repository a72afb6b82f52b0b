// "table" in a sweep file, checked against the plan before anything starts: what it names must be there once the runs
// are.
#pragma once
#include "sweep/grid.h"

namespace simmim {

// plan: make_plan of the sweep, in which equal cells are one already; of a sweep that tunes, with any values of the
// tuned keys. Code::usage for an unknown key of the block, a leaf that no run has, a value of a stage that is not run,
// a baseline that fits no cell.
void check_table(const SweepFile& sweep, const Json& plan);

}  // namespace simmim
