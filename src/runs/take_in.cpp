#include "runs/take_in.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <memory>
#include <unordered_map>

#include "core/hash.h"
#include "core/names.h"
#include "runs/paper.h"
#include "runs/run_folder.h"

namespace simmim {
namespace {

Value at(const Json& root, std::string_view path) {
  const Json* found = find_path(root, path);
  return found == nullptr ? Value() : to_value(*found);
}

// The columns of `runs` that come straight from the configuration, and where they stand in it.
const std::vector<std::pair<const char*, const char*>>& config_columns() {
  static const std::vector<std::pair<const char*, const char*>> columns{
      {"method", "method.name"}, {"encoder", "encoder.name"}, {"mask", "mask.name"}, {"mask_patch", "mask.patch"},
      {"mask_ratio", "mask.ratio"}, {"head", "head.name"}, {"target", "target.name"},
      {"target_resolution", "target.resolution"}, {"loss", "loss.name"}, {"area", "loss.area"}, {"dataset", "data.name"},
      {"precision", "precision"}};
  return columns;
}

constexpr const char* kSummaryColumns[] = {"parameters", "epochs", "steps", "images_seen", "val_top1", "test_top1",
                                           "test_top5", "best_epoch", "train_loss", "val_loss", "images_per_second",
                                           "skipped_steps", "val_images", "test_images"};

using Row = std::vector<std::pair<std::string, Value>>;

// INSERT, or UPDATE of exactly these columns where the id is known.
void upsert_run(Sqlite& database, const Row& row) {
  std::vector<std::string> names, updates;
  for (const auto& [name, value] : row) {
    names.push_back(name);
    if (name != "id") updates.push_back(name + "=excluded." + name);
  }
  std::string places = "?";
  for (size_t i = 1; i < row.size(); ++i) places += ",?";
  Statement insert = database.prepare(fmt::format("INSERT INTO runs({}) VALUES ({}) ON CONFLICT(id) DO UPDATE SET {}",
                                                  join(names, ","), places, join(updates, ",")));
  for (size_t i = 0; i < row.size(); ++i) insert.bind(static_cast<int>(i) + 1, row[i].second);
  insert.run();
}

void append_config(Row& row, const Json& config) {
  for (const auto& [column, path] : config_columns()) row.emplace_back(column, at(config, path));
}

// Puts a run's leaves, and the whole under the key '', in place of what stood there; null: takes them away.
void store_config_values(Sqlite& database, const std::string& run, const Json& config) {
  Statement known = database.prepare("SELECT value FROM config_values WHERE key = '' AND run = ?");
  const bool was_known = known.bind(1, run).step();
  const std::string before = was_known ? known.text(0) : "", now = config.is_null() ? "" : config.dump();
  known.reset();
  if (before == now) return;
  Statement remove = database.prepare("DELETE FROM config_values WHERE key = ? AND run = ?");
  if (was_known) {
    for (const auto& [key, value] : leaves(Json::parse(before, nullptr, /*allow_exceptions=*/false))) remove.bind_all(key, run).run();
    remove.bind_all("", run).run();
  }
  if (config.is_null()) return;
  Statement insert = database.prepare("INSERT OR REPLACE INTO config_values(key, run, value) VALUES (?, ?, ?)");
  for (const auto& [key, value] : leaves(config)) insert.bind_all(key, run, to_value(value)).run();
  insert.bind_all("", run, now).run();
}

std::string store_environment(Sqlite& database, const Json& facts) {
  const std::string text = canonical(facts), id = hash_hex(text).substr(0, 16);
  database.prepare("INSERT OR IGNORE INTO environments(id, facts) VALUES (?, ?)").bind_all(id, text).run();
  return id;
}

struct Attempts {
  int64_t count = 0;
  double seconds = 0, gpu_seconds = 0;
  Value gpus, device, host, git_commit, started_at;  // of the last attempt; started_at of the first
};

Attempts store_attempts(Sqlite& database, const std::string& run, const Json& attempts) {
  Attempts sum;
  database.prepare("DELETE FROM attempts WHERE run = ?").bind(1, run).run();
  Statement insert = database.prepare("INSERT INTO attempts VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
  for (const Json& attempt : attempts) {
    Value environment;
    if (const Json* facts = find_path(attempt, "environment"); facts != nullptr && facts->is_object()) {
      environment = store_environment(database, *facts);
      sum.git_commit = at(*facts, "git_commit");
    }
    insert.bind_all(run, ++sum.count, at(attempt, "host"), at(attempt, "pid"), at(attempt, "started_at"), at(attempt, "ended_at"),
                    at(attempt, "state"), at(attempt, "exit_code"), at(attempt, "error"), at(attempt, "seconds"),
                    at(attempt, "device"), at(attempt, "gpus"), at(attempt, "threads"), environment).run();
    const double seconds = number_or(at(attempt, "seconds"), 0);
    sum.seconds += seconds;
    sum.gpu_seconds += seconds * number_or(at(attempt, "gpus"), 0);
    sum.gpus = at(attempt, "gpus"), sum.device = at(attempt, "device"), sum.host = at(attempt, "host");
    if (sum.count == 1) sum.started_at = at(attempt, "started_at");
  }
  return sum;
}

// Returns the byte up to which the journal has been read.
int64_t store_metrics(Sqlite& database, const std::string& run, const fs::path& journal, int64_t from) {
  if (from == 0) database.prepare("DELETE FROM metrics WHERE run = ?").bind(1, run).run();
  Statement insert = database.prepare("INSERT OR REPLACE INTO metrics(run, key, step, epoch, value, seconds) VALUES (?,?,?,?,?,?)");
  insert.bind(1, run);
  int64_t lines = 0;
  const uint64_t end = read_journal(journal, static_cast<uint64_t>(from), [&](const Json& line) {
    const auto step = line.find("step");
    if (step == line.end() || !step->is_number()) return;
    insert.bind(3, step->get<int64_t>()).bind(4, at(line, "epoch")).bind(6, at(line, "seconds"));
    for (const auto& [key, value] : line.items()) {
      if (key == "step" || key == "epoch" || key == "seconds" || !(value.is_number() || value.is_null())) continue;
      insert.bind(2, key).bind(5, to_value(value)).run();
    }
    ++lines;
  });
  if (lines > 0 || from == 0) {
    database.prepare("DELETE FROM metric_summary WHERE run = ?").bind(1, run).run();
    database.prepare(R"sql(
      INSERT INTO metric_summary SELECT run, key, count(*),
        (SELECT value FROM metrics f WHERE f.run = m.run AND f.key = m.key ORDER BY step LIMIT 1),
        (SELECT value FROM metrics l WHERE l.run = m.run AND l.key = m.key ORDER BY step DESC LIMIT 1), min(value), max(value),
        (SELECT step FROM metrics a WHERE a.run = m.run AND a.key = m.key AND a.value IS NOT NULL ORDER BY value, step LIMIT 1),
        (SELECT step FROM metrics b WHERE b.run = m.run AND b.key = m.key AND b.value IS NOT NULL ORDER BY value DESC, step LIMIT 1)
      FROM metrics m WHERE run = ? GROUP BY run, key)sql").bind(1, run).run();
  }
  return static_cast<int64_t>(end);
}

void store_artifacts(Sqlite& database, const std::string& run, const fs::path& folder) {
  database.prepare("DELETE FROM artifacts WHERE run = ?").bind(1, run).run();
  Statement insert = database.prepare("INSERT OR REPLACE INTO artifacts(run, path, bytes) VALUES (?, ?, ?)");
  std::error_code error;
  for (fs::recursive_directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const std::string path = fs::relative(it->path(), folder, error);
    if (path == "lock" || path.find(".tmp") != std::string::npos || !it->is_regular_file(error)) continue;
    insert.bind_all(run, path, static_cast<int64_t>(it->file_size(error))).run();
  }
}

Json read_config(const fs::path& folder) {
  std::error_code missing;
  if (!fs::is_regular_file(folder / "config.json", missing)) return {};
  const Json whole = Json::parse(read_file(folder / "config.json"), nullptr, /*allow_exceptions=*/false);
  return whole.is_object() && whole.contains("config") ? whole["config"] : Json();
}

// The leaves that describe a chain up to one of its runs: the configurations of its stages laid over each other.
Json chain_leaves(const Json& plan, const Json& chain) {
  Json all = Json::object();
  for (const Json& run : chain.at("runs"))
    if (const auto entry = plan.at("runs").find(run.value("id", "")); entry != plan.at("runs").end())
      for (const auto& [key, value] : leaves(entry->value("config", Json::object()))) all[key] = value;
  return all;
}

// The published cell that was measured under this chain's conditions, or null.
Value paper_cell(const Json& plan, const Json& chain, const std::string& stage) {
  const PaperTable* table = find_paper_table(plan.value("paper", ""));
  if (table == nullptr) return {};
  double images = 0;
  for (const Json& run : chain.at("runs"))
    if (run.value("stage", "") == "pretrain" && plan.at("runs").contains(run.at("id")))
      if (const Json* seen = find_path(plan.at("runs").at(run.at("id")), "plan.images"); seen != nullptr && seen->is_number())
        images = seen->get<double>();
  const Json config = chain_leaves(plan, chain);
  const PaperValue* value = find_paper_value(*table, config, stage);
  return value != nullptr && same_conditions(*table, *value, config, images) ? Value(value->cell) : Value();
}

void store_planned_runs(Sqlite& database, const Json& plan) {
  Statement known = database.prepare("SELECT 1 FROM runs WHERE id = ?");
  for (const auto& [id, entry] : plan.at("runs").items()) {
    known.reset();
    if (known.bind(1, id).step()) continue;
    const Json config = entry.value("config", Json::object());
    Row row{{"id", id}, {"parent", at(entry, "parent")}, {"kind", at(entry, entry.contains("kind") ? "kind" : "stage")},
            {"state", "waiting"}, {"seed", at(config, "seed")}, {"parameters", at(entry, "plan.parameters")}};
    append_config(row, config);
    upsert_run(database, row);
    store_config_values(database, id, config);
  }
}

// Planned runs that no plan names any more and that never began.
void forget_unplanned_runs(Sqlite& database) {
  Statement stale = database.prepare("SELECT id FROM runs WHERE stamp IS NULL AND id NOT IN (SELECT run FROM sweep_cells)");
  std::vector<std::string> gone;
  while (stale.step()) gone.push_back(stale.text(0));
  stale.reset();
  for (const std::string& id : gone) {
    store_config_values(database, id, nullptr);
    database.prepare("DELETE FROM runs WHERE id = ?").bind(1, id).run();
  }
}

// `path` relative to an open folder, or to the working one (AT_FDCWD).
std::string file_stamp(int folder, const std::string& path) {
  struct stat status {};
  if (::fstatat(folder, path.c_str(), &status, 0) != 0) return "-";
  return fmt::format("{}.{}:{}:{}", status.st_mtim.tv_sec, status.st_mtim.tv_nsec, status.st_size, status.st_ino);
}

fs::path newest_plan(const fs::path& out, const std::string& sweep) {
  std::pair<int64_t, fs::path> newest{-1, {}};
  std::error_code missing;
  for (const auto& entry : fs::directory_iterator(sweeps_folder(out) / sweep, missing)) {
    const std::string name = entry.path().filename();
    if (name.starts_with("plan-") && name.ends_with(".json")) newest = std::max(newest, {std::atoll(name.c_str() + 5), entry.path()});
  }
  return newest.second;
}

}  // namespace

std::string folder_stamp(const fs::path& folder) { return file_stamp(AT_FDCWD, folder / "run.json"); }

bool take_in_run(Sqlite& database, const fs::path& folder) {
  const std::string stamp = folder_stamp(folder);
  const Json record = read_record(folder), config = read_config(folder);
  if (record.empty()) return false;
  const std::string id = folder.filename();

  Statement known = database.prepare("SELECT attempts, journal_bytes FROM runs WHERE id = ?");
  int64_t attempts_before = 0, bytes_before = 0;
  if (known.bind(1, id).step()) {
    attempts_before = known.integer(0), bytes_before = known.integer(1);
  } else {
    database.prepare("INSERT INTO runs(id, state) VALUES (?, 'waiting')").bind(1, id).run();
  }
  known.reset();

  const Json none = Json::array();
  const Json* list = find_path(record, "attempts");
  const Attempts attempts = store_attempts(database, id, list != nullptr ? *list : none);
  std::error_code missing;
  const auto journal = folder / "metrics.jsonl";
  const auto size = fs::file_size(journal, missing);
  const bool cut = attempts.count != attempts_before || missing || static_cast<int64_t>(size) < bytes_before;
  const int64_t journal_bytes = store_metrics(database, id, journal, cut ? 0 : bytes_before);

  Row row{{"id", id}, {"parent", at(record, "parent")}, {"kind", at(record, "kind")}, {"state", effective_state(folder, record)},
          {"seed", at(record, "seed")}, {"error", at(record, "error")}, {"updated_at", at(record, "updated_at")},
          {"seconds", attempts.seconds}, {"gpus", attempts.gpus}, {"gpu_seconds", attempts.gpu_seconds},
          {"device", attempts.device}, {"host", attempts.host}, {"git_commit", attempts.git_commit},
          {"started_at", attempts.started_at}, {"attempts", attempts.count}, {"journal_bytes", journal_bytes}, {"stamp", stamp}};
  const Json summary = record.value("summary", Json::object());
  for (const char* column : kSummaryColumns) row.emplace_back(column, at(summary, column));
  append_config(row, config);
  upsert_run(database, row);
  store_config_values(database, id, config);
  store_artifacts(database, id, folder);
  return true;
}

bool take_in_plan(Sqlite& database, const fs::path& plan_file) {
  const std::string stamp = file_stamp(AT_FDCWD, plan_file);
  const Json plan = read_json_file(plan_file);
  const std::string name = plan.value("name", plan_file.parent_path().filename().string());
  const int64_t revision = plan.value("revision", int64_t{0});
  Statement known = database.prepare("SELECT revision FROM sweeps WHERE name = ?");
  if (known.bind(1, name).step() && known.integer(0) > revision) return false;
  known.reset();
  const auto text = [&](const char* key) { return plan.contains(key) ? Value(plan[key].dump()) : Value(); };
  database.prepare("DELETE FROM sweeps WHERE name = ?").bind(1, name).run();
  database.prepare("INSERT INTO sweeps VALUES (?,?,?,?,?,?,?,?,?,?)")
      .bind_all(name, revision, at(plan, "about"), at(plan, "file"), at(plan, "threads"), text("axes"), text("seeds"), text("table"),
                at(plan, "paper"), stamp).run();
  Statement insert = database.prepare("INSERT OR IGNORE INTO sweep_cells VALUES (?,?,?,?,?,?,?,?)");
  int64_t position = 0;
  for (const Json& cell : plan.at("cells")) {
    for (const Json& chain : cell.at("chains"))
      for (const Json& run : chain.at("runs")) {
        const std::string stage = run.value("stage", "");
        insert.bind_all(name, position, cell.value("cell", ""), chain.value("seed", int64_t{0}), stage, run.value("id", ""),
                        cell.value("values", Json::object()).dump(), paper_cell(plan, chain, stage)).run();
      }
    ++position;
  }
  store_planned_runs(database, plan);
  forget_unplanned_runs(database);
  return true;
}

Changes find_changes(const Sqlite& database, const fs::path& out) {
  std::unordered_map<std::string, std::pair<std::string, bool>> runs;  // id -> {stamp, running}
  Statement known_runs = database.prepare("SELECT id, stamp, state = 'running' FROM runs WHERE stamp IS NOT NULL");
  while (known_runs.step()) runs[known_runs.text(0)] = {known_runs.text(1), known_runs.integer(2) != 0};
  std::unordered_map<std::string, std::string> sweeps;
  Statement known_sweeps = database.prepare("SELECT name, stamp FROM sweeps");
  while (known_sweeps.step()) sweeps[known_sweeps.text(0)] = known_sweeps.text(1);

  Changes changes;
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir(runs_folder(out).c_str()), ::closedir);
  while (const dirent* entry = folder ? ::readdir(folder.get()) : nullptr) {
    const std::string id = entry->d_name;
    if (id.starts_with('.')) continue;
    const auto found = runs.find(id);
    const bool unchanged = found != runs.end() && found->second.first == file_stamp(::dirfd(folder.get()), id + "/run.json");
    const fs::path path = run_path(out, id);
    const bool lost = unchanged && found->second.second && effective_state(path, read_record(path)) != "running";
    if (!unchanged || lost) changes.runs.push_back(path);
  }
  for (const std::string& name : sweep_names(out)) {
    const fs::path plan = newest_plan(out, name);
    if (!plan.empty() && (!sweeps.contains(name) || sweeps[name] != file_stamp(AT_FDCWD, plan))) changes.plans.push_back(plan);
  }
  std::sort(changes.runs.begin(), changes.runs.end());
  return changes;
}

}  // namespace simmim
