// Rows of the tables `runs` and `config_values`, and the stamps by which unchanged files are passed over: what taking
// in run folders and plans share.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "core/files.h"
#include "core/json.h"
#include "runs/sqlite.h"

namespace simmim {

// The value at a dotted path, null where there is none.
Value value_at(const Json& root, std::string_view path);

using RunRow = std::vector<std::pair<std::string, Value>>;  // columns of `runs`, "id" among them

void append_config_columns(RunRow& row,
                           const Json& config);        // method, encoder, mask, ... as the configuration has them
void upsert_run(Sqlite& database, const RunRow& row);  // INSERT, or UPDATE of exactly these columns

// Puts a run's leaves, and the whole under the key '', in place of what stood there; null: takes them away.
void store_config_values(Sqlite& database, const std::string& run, const Json& config);

void forget_run(Sqlite& database, const std::string& run);  // every row of it but its places in sweeps

// Time, size and inode of a file, as text; `path` is relative to an open folder, or to the working one (AT_FDCWD).
std::string file_stamp(int folder, const std::string& path);

}  // namespace simmim
