// The database's schema: tables (ours to change) and views (the contract with users' SQL).
#pragma once
#include "runs/sqlite.h"

namespace simmim {

// What schema_version holds. A change of tables or views raises it and adds a step to kSteps (schema.cpp).
constexpr int64_t kSchemaVersion = 2;

// 0 for an empty database. Code::database for a schema newer than ours.
int64_t schema_version(const Sqlite& database);

void create_schema(Sqlite& database);  // tables, views and the paper's values into an empty database
void drop_schema(Sqlite& database);    // every table and view

// From an older version to ours, inside the caller's transaction.
void migrate_schema(Sqlite& database, int64_t from);

// The view `results` with `state` read from the temporary table `ended` where the run stands in it.
std::string results_with_ended_runs();

// Columns of the view `results`, in order.
const std::vector<std::string>& result_columns();

}  // namespace simmim
