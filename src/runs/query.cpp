#include "runs/query.h"

#include <algorithm>
#include <cstring>
#include <map>

#include "core/names.h"
#include "runs/filter.h"
#include "runs/merge.h"
#include "runs/run_folder.h"
#include "runs/schema.h"

namespace simmim {
namespace {

// What a query may do; everything else (writing, attaching a file, changing a pragma) is refused by SQLite's
// authorizer.
int only_reading(void*, int action, const char* first, const char* second, const char*, const char*) {
  constexpr const char* kPragmas[] = {"table_info",      "table_list",   "index_list",
                                      "integrity_check", "user_version", "journal_mode"};
  if (action == SQLITE_SELECT || action == SQLITE_READ || action == SQLITE_FUNCTION || action == SQLITE_RECURSIVE)
    return SQLITE_OK;
  if (action == SQLITE_PRAGMA)
    for (const char* name : kPragmas)
      if (std::strcmp(name, first) == 0 && (second == nullptr || std::strcmp(name, "table_info") == 0))
        return SQLITE_OK;
  return SQLITE_DENY;
}

struct ReadingOnly {
  explicit ReadingOnly(sqlite3* database) : handle(database) { sqlite3_set_authorizer(handle, only_reading, nullptr); }
  ~ReadingOnly() { sqlite3_set_authorizer(handle, nullptr, nullptr); }
  sqlite3* handle;
};

Json rows_as_json(const Frame& frame) {
  Json rows = Json::array();
  for (const auto& row : frame.rows) {
    Json object = Json::object();
    for (size_t i = 0; i < row.size(); ++i) object[frame.columns[i]] = to_json(row[i]);
    rows.push_back(std::move(object));
  }
  return rows;
}

Json rows_for(const Sqlite& database, const std::string& sql, const std::string& run) {
  Statement statement = database.prepare(sql);
  statement.bind(1, run);
  return rows_as_json(read_frame(statement));
}

// crash/step-N.json in order of steps.
std::vector<fs::path> crash_reports(const fs::path& folder) {
  std::vector<std::pair<int64_t, fs::path>> found;
  std::error_code missing;
  for (const auto& entry : fs::directory_iterator(folder / "crash", missing))
    if (const std::string name = entry.path().filename(); name.starts_with("step-") && name.ends_with(".json"))
      found.emplace_back(std::atoll(name.c_str() + 5), entry.path());
  std::sort(found.begin(), found.end());
  std::vector<fs::path> paths;
  for (auto& [step, path] : found) paths.push_back(std::move(path));
  return paths;
}

// The plain facts of a report, and the first tensor in it that is not finite (null in JSON), in the order of a step:
// activations from the first block on, then gradients from the last parameter back.
std::string crash_text(const fs::path& report) {
  const Json facts = Json::parse(read_file(report), nullptr, /*allow_exceptions=*/false);
  if (!facts.is_object()) return "";
  std::string text = report.string() + "\n", bad;
  for (const auto& [key, value] : facts.items())
    if (!value.is_structured())
      text += fmt::format("  {}: {}\n", key,
                          value.is_null()     ? "not finite"
                          : value.is_string() ? value.get<std::string>()
                                              : value.dump());
  for (const Json& block : facts.value("blocks", Json::array()))
    if (bad.empty() && block.is_object() && block.value("largest_activation", Json(0)).is_null())
      bad = fmt::format("the activations of block {}", block.value("block", 0));
  const Json gradients = facts.value("gradients", Json::object());
  for (auto it = gradients.rbegin(); bad.empty() && it != gradients.rend(); ++it)
    if (it.value().is_null()) bad = "the gradient of " + it.key();
  return text + (bad.empty() ? "  every tensor examined is finite\n"
                             : fmt::format("  first tensor that is not finite: {}\n", bad));
}

// What a tuning tried for the cells that a run belongs to, and chose, as their plans say: a row a value.
Json tuned_in(const Sqlite& database, const fs::path& out, const Json& memberships) {
  Json rows = Json::array();
  Statement is_tuned = database.prepare("SELECT 1 FROM sweeps WHERE name = ? || '-tune'");
  for (const Json& member : memberships) {
    is_tuned.reset();
    if (!is_tuned.bind(1, member["sweep"].get<std::string>()).step()) continue;
    const auto plan = read_plan(out, member["sweep"]);
    for (const Json& cell : plan ? plan->at("cells") : Json::array()) {
      if (cell.at("cell") != member["cell"] || !cell.contains("tuned")) continue;
      const Json& tuned = cell["tuned"];
      for (const Json& candidate : tuned.at("candidates")) {
        rows.push_back({{"sweep", member["sweep"]}, {"cell", member["cell"]}});
        rows.back().update(candidate.at("set"));
        rows.back().update({{tuned.at("by").get<std::string>(), candidate.at("value")},
                            {"chosen", candidate["set"] == tuned.at("set")},
                            {"runs", candidate.at("runs")}});
      }
    }
  }
  return rows;
}

}  // namespace

Frame list_runs(const Sqlite& database, const RunListOptions& options) {
  std::vector<std::string> columns = options.columns;
  if (columns.empty())
    columns = split(
        "run kind state seed dataset encoder mask mask_patch mask_ratio head loss epochs val_loss top1 seconds "
        "started_at",
        ' ');
  std::vector<std::string> selected;
  for (const std::string& column : columns)
    selected.push_back(fmt::format("{} AS \"{}\"", key_sql(database, column), column));
  std::vector<Value> bound;
  const std::string where = filter_sql(database, parse_filter(options.where), bound);
  const bool descending = options.sort.starts_with('-');
  const std::string sort = key_sql(database, descending ? options.sort.substr(1) : options.sort);
  Statement statement =
      database.prepare(fmt::format("SELECT {} FROM results WHERE {} ORDER BY {} {} NULLS LAST, results.run LIMIT {}",
                                   join(selected, ", "), where, sort, descending ? "DESC" : "ASC", options.limit));
  for (size_t i = 0; i < bound.size(); ++i) statement.bind(static_cast<int>(i) + 1, bound[i]);
  return read_frame(statement);
}

std::string why_none(const Sqlite& database, const std::string& where) {
  const auto text_of_condition = [](const Condition& condition) {
    std::vector<std::string> values;
    for (const Value& value : condition.values) values.push_back(text_of(value));
    return condition.key + condition.op + join(values, ",");
  };
  Statement count = database.prepare("SELECT count(*) FROM results");
  count.step();
  const std::string none = fmt::format("none of {} runs", count.integer(0));
  if (count.integer(0) == 0) return "there are no runs yet";
  for (const Condition& condition : parse_filter(where)) {
    std::vector<Value> bound;
    Statement any = database.prepare("SELECT 1 FROM results WHERE " + filter_sql(database, {condition}, bound));
    for (size_t i = 0; i < bound.size(); ++i) any.bind(static_cast<int>(i) + 1, bound[i]);
    if (any.step()) continue;
    const bool member = condition.key == "sweep" || condition.key == "cell";
    Statement distinct =
        database.prepare(member ? fmt::format("SELECT DISTINCT {} FROM sweep_cells ORDER BY 1", condition.key)
                                : fmt::format("SELECT DISTINCT {} AS v FROM results WHERE v IS NOT NULL ORDER BY 1",
                                              key_sql(database, condition.key)));
    std::vector<std::string> values;
    while (distinct.step()) values.push_back(text_of(distinct.value(0)));
    const std::string near = condition.op == "=" && std::holds_alternative<std::string>(condition.values[0])
                                 ? nearest(text_of(condition.values[0]), values)
                                 : "";
    if (values.size() > 12) values = {values.front(), "...", values.back()};
    return fmt::format("{} has {}{} {}", none, text_of_condition(condition),
                       near.empty() ? ";" : fmt::format("; did you mean '{}'?", near),
                       values.empty() ? "no run has a value there" : condition.key + " is " + one_of(values));
  }
  return none + " fulfils all of these conditions at once; leave one out";
}

Frame query(const Sqlite& database, const std::string& sql) {
  const ReadingOnly guard(database.handle());
  sqlite3_stmt* raw = nullptr;
  const char* tail = nullptr;
  const int code = sqlite3_prepare_v2(database.handle(), sql.c_str(), -1, &raw, &tail);
  const std::unique_ptr<sqlite3_stmt, decltype(&sqlite3_finalize)> owner(raw, sqlite3_finalize);
  if ((code & 0xff) == SQLITE_AUTH || (raw != nullptr && sqlite3_stmt_readonly(raw) == 0))
    fail(Code::usage, "query: only SELECT is allowed here, nothing is ever written; the run folders hold the data");
  if (code == SQLITE_ERROR || (code == SQLITE_OK && raw == nullptr))
    fail(Code::usage,
         "query: {}; the views are results, members, cells and curves, see `simmim query 'PRAGMA table_info(results)'`",
         raw == nullptr && code == SQLITE_OK ? "no SQL given" : sqlite3_errmsg(database.handle()));
  if (!trim(tail).empty()) fail(Code::usage, "query: one statement at a time; '{}' follows the first", trim(tail));
  Statement statement = database.prepare(sql);
  return read_frame(statement);
}

Json describe_run(const Sqlite& database, const fs::path& out, const std::string& id) {
  Json rows = rows_for(database, "SELECT * FROM results WHERE run = ?", id);
  if (rows.empty())
    fail(
        Code::usage,
        "{}: the database has no such run; `simmim status` takes in new run folders, `simmim runs` lists what is known",
        id);
  Json run = rows[0];
  const Json config =
      run["config"].is_string() ? Json::parse(run["config"].get<std::string>(), nullptr, false) : Json();
  run.erase("config");
  Json summary = read_record(run_path(out, id)).value("summary", Json::object());
  for (const auto& [key, value] : run.items()) summary.erase(key);
  Json children = Json::array();
  for (const Json& row : rows_for(database, "SELECT run FROM results WHERE parent = ? ORDER BY run", id))
    children.push_back(row["run"]);
  const Json sweeps = rows_for(database, "SELECT DISTINCT sweep, cell, seed FROM members WHERE run = ?", id);
  Json facts = {
      {"run", run},
      {"summary", summary},
      {"config", config},
      {"attempts", rows_for(database, "SELECT * FROM attempts WHERE run = ? ORDER BY attempt", id)},
      {"metrics",
       rows_for(database,
                "SELECT key, count, first, last, min, max, min_step, max_step FROM metric_summary WHERE run = ?", id)},
      {"artifacts", rows_for(database, "SELECT path, bytes FROM artifacts WHERE run = ?", id)},
      {"sweeps", sweeps},
      {"tuned", tuned_in(database, out, sweeps)},
      {"children", children},
      {"folder", run_path(out, id).string()}};
  if (const Json merged = run_copies(run_path(out, id)); !merged["copies"].empty()) facts.update(merged);
  return facts;
}

std::string run_log(const fs::path& out, const std::string& id) {
  const fs::path path = run_path(out, id) / "log.txt";
  std::error_code missing;
  if (!fs::is_regular_file(path, missing)) fail(Code::usage, "{}: this run has no log", path.string());
  return read_file(path);
}

std::string run_why(const fs::path& out, const std::string& id) {
  const fs::path folder = run_path(out, id);
  const Json record = read_record(folder);
  std::string text = fmt::format("run {}: {}\n", id, effective_state(folder, record));
  if (const std::string error = record.value("error", ""); !error.empty()) text += "error: " + error + "\n";
  for (const fs::path& report : crash_reports(folder)) text += crash_text(report);
  std::error_code missing;
  if (fs::is_regular_file(folder / "log.txt", missing)) {
    const std::vector<std::string> lines = split(trim(read_file(folder / "log.txt")), '\n');
    text += "log, last lines:\n";
    for (size_t i = lines.size() > 15 ? lines.size() - 15 : 0; i < lines.size(); ++i) text += "  " + lines[i] + "\n";
  }
  return text;
}

}  // namespace simmim
