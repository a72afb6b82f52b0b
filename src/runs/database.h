// The run database: SQLite, opened for reading (creates nothing; no database is an empty one) or for writing.
#pragma once
#include <string>

#include "core/files.h"
#include "runs/sqlite.h"

namespace simmim {

// For reading. A file that is missing gives an empty database with every table and view. Runs that are marked running
// although nobody holds their lock read as `lost` (a temporary view; `out` may be empty: no such check).
// Code::database for a newer schema or a broken file, with what to do.
Sqlite open_for_reading(const fs::path& database, const fs::path& out);

int64_t stored_schema_version(const fs::path& database);  // as the file says; 0: an empty file

// For writing: makes the file and its schema, brings an older schema up to date after a copy of the file
// (backup_before_migration). WAL, except where why_no_wal says so.
Sqlite open_for_writing(const fs::path& database, int busy_milliseconds = 30000);

// Deletes the index and builds it again from the folders; the new one takes the old one's place in one rename.
struct RebuildReport {
  int64_t runs = 0, sweeps = 0;
  std::vector<fs::path> skipped;  // folders without a run.json that can be read: claimed by a run that never began
};
RebuildReport rebuild_database(const fs::path& database, const fs::path& out);

// FILE.schema-1: the copy that is made before version 1 is brought up to date.
fs::path backup_before_migration(const fs::path& database, int64_t version);

// Why this database cannot use WAL, which needs shared memory between its processes: "NFS has no shared memory"; ""
// where it can. SIMMIM_WAL=on or off has the last word.
std::string why_no_wal(const fs::path& database);
std::string network_file_system(uint32_t magic);  // of statfs(2): "NFS"; "" for any other

// A consistent copy while others read and write. Code::database if `target` exists.
void backup_database(const fs::path& database, const fs::path& target);

}  // namespace simmim
