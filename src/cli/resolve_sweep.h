// The cells of a sweep, resolved by the engine: for the sweep command and for check.
#pragma once
#include "cli/args.h"
#include "sweep/plan.h"

namespace simmim {

// resolve_cells by one engine call. Says first what it does, and warns of what the sweep and its cells are warned of,
// each sentence once. measure: this machine's speed, too, for an estimate of the time.
Json resolve_sweep(const SweepFile& sweep, const PlanOptions& options, bool measure, const CommonOptions& common);

}  // namespace simmim
