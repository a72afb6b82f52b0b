#include "report/table_data.h"

#include <algorithm>

#include "core/names.h"
#include "runs/paper.h"
#include "runs/schema.h"
#include "runs/status.h"

namespace simmim {
namespace {

Json parsed(const std::string& text, Json otherwise) {
  if (text.empty()) return otherwise;
  Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  return json.is_discarded() ? otherwise : json;
}

// The tuned keys are the axes that NAME-tune has beyond those of NAME; their values stand in its cells.
TunedKeys read_tuned_keys(const Sqlite& database, const std::string& sweep, const std::vector<std::string>& axes) {
  TunedKeys tuned;
  Statement row = database.prepare("SELECT axes, \"table\", seeds FROM sweeps WHERE name = ?");
  if (!row.bind(1, sweep + "-tune").step()) return tuned;
  tuned.by = parsed(row.text(1), Json::object()).value("value", "");
  tuned.seeds = row.text(2);
  for (const Json& axis : parsed(row.text(0), Json::array()))
    if (std::find(axes.begin(), axes.end(), axis.get<std::string>()) == axes.end())
      tuned.tried[axis.get<std::string>()];
  Statement cells = database.prepare("SELECT DISTINCT \"values\" FROM sweep_cells WHERE sweep = ? ORDER BY position");
  cells.bind(1, sweep + "-tune");
  while (cells.step()) {
    const Json values = parsed(cells.text(0), Json::object());
    for (auto& [key, list] : tuned.tried)
      if (values.contains(key) && std::find(list.begin(), list.end(), values[key]) == list.end())
        list.push_back(values[key]);
  }
  return tuned;
}

}  // namespace

std::string label_of(const Json& value) {
  return value.is_null() ? "" : value.is_string() ? value.get<std::string>() : canonical(value);
}

const std::vector<std::string>& number_columns() {
  static const std::vector<std::string> names = split(
      "val_top1 test_top1 test_top5 best_epoch train_loss val_loss images_per_second seconds gpu_hours chain_gpu_hours "
      "images_seen steps epochs parameters skipped_steps",
      ' ');
  return names;
}

Json SweepCell::value(const std::string& key, const std::string& stage) const {
  if (const auto it = values.find(key); it != values.end()) return *it;
  if (const auto own = config.find(stage); own != config.end())
    if (const Json* leaf = find_path(own->second, key)) return *leaf;
  for (const auto& [other, json] : config)
    if (const Json* leaf = find_path(json, key)) return *leaf;
  return nullptr;
}

Json SweepCell::chain() const {
  std::vector<Json> configs;
  for (const char* stage : {"pretrain", "finetune", "probe", "eval"})
    if (const auto it = config.find(stage); it != config.end()) configs.push_back(it->second);
  return chain_leaves(configs);
}

SweepData read_sweep_data(const Sqlite& database, const std::string& called) {
  const std::string sweep = sweep_run_here(database, called);
  Statement row = database.prepare(
      "SELECT coalesce(about, ''), coalesce(paper, ''), axes, \"table\", seeds FROM sweeps WHERE name = ?");
  row.bind(1, sweep).step();
  SweepData data{sweep, row.text(0), row.text(1), {}, parsed(row.text(3), Json::object()), {}, {}, {}};
  for (const Json& axis : parsed(row.text(2), Json::array())) data.axes.push_back(axis.get<std::string>());
  for (const Json& seed : parsed(row.text(4), Json::array())) data.seeds.push_back(seed.get<int64_t>());
  data.tuned = read_tuned_keys(database, sweep, data.axes);

  // Run by run: as the right side of a LEFT JOIN the view would be computed for every run there is.
  std::string columns;
  for (const std::string& name : number_columns()) columns += fmt::format(", results.{}", name);
  Statement facts =
      database.prepare("SELECT results.state, results.config, coalesce(b.val_images, 0), coalesce(b.test_images, 0)" +
                       columns + " FROM results JOIN runs b ON b.id = results.run WHERE results.run = ?");
  Statement members = database.prepare(
      "SELECT position, cell, \"values\", coalesce(paper, ''), stage, seed, run FROM sweep_cells WHERE sweep = ? ORDER "
      "BY position, seed, stage");
  members.bind(1, sweep);
  int64_t position = -1;
  while (members.step()) {
    if (data.cells.empty() || members.integer(0) != position)
      data.cells.push_back({members.text(1), "", parsed(members.text(2), Json::object()), {}, {}});
    position = members.integer(0);
    SweepCell& cell = data.cells.back();
    SweepRun run{members.text(6), members.text(4), "waiting", members.integer(5), {}, 0, 0};
    facts.reset();
    const bool begun = facts.bind(1, run.run).step();
    if (begun) {
      run.state = facts.text(0), run.val_images = facts.real(2), run.test_images = facts.real(3);
      for (size_t i = 0; i < number_columns().size(); ++i)
        if (const Value value = facts.value(static_cast<int>(i) + 4); !is_null(value))
          run.numbers[number_columns()[i]] = number_or(value, 0);
    }
    if (!cell.config.contains(run.stage))
      cell.config[run.stage] = begun ? parsed(facts.text(1), Json::object()) : Json::object();
    if (const std::string paper = members.text(3); !paper.empty()) cell.paper = paper;
    cell.runs.push_back(std::move(run));
  }
  return data;
}

void add_curve(const Sqlite& database, SweepData& data, const std::string& key) {
  Statement rows = database.prepare("SELECT key, last FROM metric_summary WHERE run = ? AND last IS NOT NULL");
  for (SweepCell& cell : data.cells)
    for (SweepRun& run : cell.runs) {
      rows.reset();
      rows.bind(1, run.run);
      while (rows.step()) {
        if (rows.text(0) == key) run.numbers[key] = rows.real(1);
        if (std::find(data.curves.begin(), data.curves.end(), rows.text(0)) == data.curves.end())
          data.curves.push_back(rows.text(0));
      }
    }
}

}  // namespace simmim
