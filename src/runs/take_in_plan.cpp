// A sweep's plan -> sweeps, sweep_cells, and its runs as waiting ones.
#include <fcntl.h>

#include "core/error.h"
#include "runs/paper.h"
#include "runs/run_rows.h"
#include "runs/take_in.h"

namespace simmim {
namespace {

// The published cell that was measured under this chain's conditions, or null.
Value paper_cell(const Json& plan, const Json& chain, const std::string& stage) {
  const PaperTable* table = find_paper_table(plan.value("paper", ""));
  if (table == nullptr) return {};
  double images = 0;
  std::vector<Json> configs;
  for (const Json& run : chain.at("runs")) {
    const auto entry = plan.at("runs").find(run.at("id").get<std::string>());
    if (entry == plan.at("runs").end()) continue;
    configs.push_back(entry->value("config", Json::object()));
    if (run.value("stage", "") == "pretrain") images = number_or(value_at(*entry, "plan.images"), 0);
  }
  const Json config = chain_leaves(configs);
  const PaperValue* value = find_paper_value(*table, config, stage);
  return value != nullptr && same_conditions(*table, *value, config, images) ? Value(value->cell) : Value();
}

void store_planned_runs(Sqlite& database, const Json& plan) {
  Statement known = database.prepare("SELECT 1 FROM runs WHERE id = ?");
  for (const auto& [id, entry] : plan.at("runs").items()) {
    known.reset();
    if (known.bind(1, id).step()) continue;
    const Json config = entry.value("config", Json::object());
    RunRow row{{"id", id},
               {"parent", value_at(entry, "parent")},
               {"kind", value_at(entry, entry.contains("kind") ? "kind" : "stage")},
               {"state", "waiting"},
               {"seed", value_at(config, "seed")},
               {"parameters", value_at(entry, "plan.parameters")}};
    append_config_columns(row, config);
    upsert_run(database, row);
    store_config_values(database, id, config);
  }
}

// Planned runs that no plan names any more and that never began.
void forget_unplanned_runs(Sqlite& database) {
  Statement stale =
      database.prepare("SELECT id FROM runs WHERE stamp IS NULL AND id NOT IN (SELECT run FROM sweep_cells)");
  std::vector<std::string> gone;
  while (stale.step()) gone.push_back(stale.text(0));
  stale.reset();
  for (const std::string& id : gone) forget_run(database, id);
}

}  // namespace

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
      .bind_all(name, revision, value_at(plan, "about"), value_at(plan, "file"), value_at(plan, "threads"),
                text("axes"), text("seeds"), text("table"), value_at(plan, "paper"), stamp)
      .run();
  Statement insert = database.prepare("INSERT OR IGNORE INTO sweep_cells VALUES (?,?,?,?,?,?,?,?)");
  int64_t position = 0;
  for (const Json& cell : plan.at("cells")) {
    for (const Json& chain : cell.at("chains"))
      for (const Json& run : chain.at("runs")) {
        const std::string stage = run.value("stage", "");
        insert
            .bind_all(name, position, cell.value("cell", ""), chain.value("seed", int64_t{0}), stage,
                      run.value("id", ""), cell.value("values", Json::object()).dump(), paper_cell(plan, chain, stage))
            .run();
      }
    ++position;
  }
  store_planned_runs(database, plan);
  forget_unplanned_runs(database);
  return true;
}

}  // namespace simmim
