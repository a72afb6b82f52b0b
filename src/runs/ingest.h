// Run folders and sweep plans -> database. The database is an index: nothing here may stop a run, so trouble with it
// is returned as a sentence to warn with ("" = all well), never thrown.
#pragma once
#include <string>

#include "core/files.h"

namespace simmim {

// Takes one run folder (OUT/runs/ID) into the database in one short transaction; new lines of its journal only.
// The rows of a folder that is gone are deleted. Call it each epoch and at the end of a run. It waits
// `busy_milliseconds` at most for others to finish writing.
[[nodiscard]] std::string ingest_run(const fs::path& database, const fs::path& run_folder,
                                     int busy_milliseconds = 30000);

// Takes in OUT/sweeps/NAME/plan-R.json: the sweep, its cells, its planned runs (state `waiting`). An older revision
// than the one known is passed over.
[[nodiscard]] std::string ingest_plan(const fs::path& database, const fs::path& plan_file);

// Takes in every run folder and plan of OUT that changed since it was last taken in (what `status` does).
[[nodiscard]] std::string ingest_changes(const fs::path& database, const fs::path& out);

}  // namespace simmim
