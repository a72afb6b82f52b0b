// "table" in a sweep file, checked against the resolved cells before anything starts: what it names must be there once
// the runs are.
#pragma once
#include "sweep/grid.h"

namespace simmim {

// resolved: resolve_cells of the sweep, or of its tuning, which holds every cell too. Code::usage for an unknown key of
// the block, a leaf that no run has, a value of a stage that is not run, a baseline that fits no cell.
void check_table(const SweepFile& sweep, const Json& resolved);

}  // namespace simmim
