// Questions about runs, answered from the database and the run folders as frames or JSON; drawing them is report's
// work.
#pragma once
#include "core/files.h"
#include "runs/frame.h"

namespace simmim {

struct RunListOptions {
  std::string where;                 // EXPR (filter.h)
  std::string sort = "-started_at";  // a key of EXPR; a minus in front: largest first
  std::vector<std::string> columns;  // keys of EXPR; empty: a readable choice
  int64_t limit = -1;
};
Frame list_runs(const Sqlite& database, const RunListOptions& options);

// Why EXPR fits none of the runs: "none of 31 runs has mask.ratio=0.9; mask.ratio is 0.4 or 0.6".
std::string why_none(const Sqlite& database, const std::string& where);

// Any one SELECT. Code::usage with SQLite's words for wrong SQL, for several statements, and for whatever would write.
Frame query(const Sqlite& database, const std::string& sql);

// Everything known of a run: {"run": {columns of results}, "config", "attempts": [..], "metrics": [{key, count, first,
// last, min, ...}], "artifacts": [{path, bytes}], "sweeps": [{sweep, cell}], "children": [ids], "folder"}; of
// a merged run "copies" and "differences" too (merge.h).
Json describe_run(const Sqlite& database, const fs::path& out, const std::string& id);

// What differs between runs and cells (SWEEP:cell without seed or stage is a cell: mean and std over its seeds). One
// row a configuration leaf that differs, then the results; one column a name. Code::usage for fewer than two names.
Frame compare_runs(const Sqlite& database, const fs::path& out, const std::vector<std::string>& names);

// log.txt of a run. Code::usage if it has none.
std::string run_log(const fs::path& out, const std::string& id);
// Why a run ended badly: its error, the facts of crash/step-N.json, the first tensor that went bad, the tail of its
// log.
std::string run_why(const fs::path& out, const std::string& id);

}  // namespace simmim
