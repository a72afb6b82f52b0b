// What ingest and rebuild share: one folder or plan into an open database, inside the caller's transaction.
#pragma once
#include "core/files.h"
#include "core/json.h"
#include "runs/sqlite.h"

namespace simmim {

// False if the folder has no record yet (claimed, not begun). Only new lines of the journal are read, unless it is not
// the one that was read before: a resumed run cuts it and writes on.
bool take_in_run(Sqlite& database, const fs::path& folder);

// False if a newer revision is known already.
bool take_in_plan(Sqlite& database, const fs::path& plan_file);

// What run.json looks like (time, size, inode). It is replaced at each epoch and change of state, so equal stamps need
// no second look.
std::string folder_stamp(const fs::path& folder);

// Every folder and newest plan of `out` whose stamp is not the one stored; running ones whose lock is free too.
struct Changes {
  std::vector<fs::path> runs, plans;
};
Changes find_changes(const Sqlite& database, const fs::path& out);

}  // namespace simmim
