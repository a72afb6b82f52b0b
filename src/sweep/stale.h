// Runs that were made before a result version was raised: what a sweep does with them.
#pragma once
#include "core/files.h"
#include "core/json.h"

namespace simmim {

// resolved: see resolve_cells. A chain whose missing runs were all made by an older program keeps those: their ids
// stand in it, and their entries in "runs" say "stale": "masks 1, now 2". Any other chain is run with this program's
// versions from its start, so that no chain mixes what did not belong together.
void keep_stale_runs(Json& resolved, const fs::path& out);

}  // namespace simmim
