#include "report/table_data.h"

#include "core/names.h"
#include "runs/schema.h"

namespace simmim {
namespace {

constexpr const char* kNumbers[] = {"val_top1", "test_top1", "test_top5", "best_epoch", "train_loss", "val_loss", "images_per_second",
                                    "seconds", "gpu_hours", "chain_gpu_hours", "images_seen", "steps", "epochs", "parameters", "skipped_steps"};

Json parsed(const std::string& text, Json otherwise) {
  if (text.empty()) return otherwise;
  Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  return json.is_discarded() ? otherwise : json;
}

}  // namespace

Json SweepCell::value(const std::string& key, const std::string& stage) const {
  if (const auto it = values.find(key); it != values.end()) return *it;
  if (const auto own = config.find(stage); own != config.end())
    if (const Json* leaf = find_path(own->second, key)) return *leaf;
  for (const auto& [other, json] : config)
    if (const Json* leaf = find_path(json, key)) return *leaf;
  return nullptr;
}

Json SweepCell::chain_leaves() const {
  Json all = Json::object();
  for (const char* stage : {"pretrain", "finetune", "probe", "eval"})
    if (const auto it = config.find(stage); it != config.end())
      for (const auto& [key, leaf] : leaves(it->second)) all[key] = leaf;
  return all;
}

SweepData read_sweep_data(const Sqlite& database, const std::string& sweep) {
  std::vector<std::string> names;
  Statement known = database.prepare("SELECT name FROM sweeps ORDER BY name");
  while (known.step()) names.push_back(known.text(0));
  Statement row = database.prepare("SELECT coalesce(about, ''), coalesce(paper, ''), axes, \"table\", seeds FROM sweeps WHERE name = ?");
  if (!row.bind(1, sweep).step()) fail(Code::usage, "table: no sweep is called {}{}", sweep, unknown_name_hint(sweep, names));
  SweepData data{sweep, row.text(0), row.text(1), {}, parsed(row.text(3), Json::object()), {}, {}};
  for (const Json& axis : parsed(row.text(2), Json::array())) data.axes.push_back(axis.get<std::string>());
  for (const Json& seed : parsed(row.text(4), Json::array())) data.seeds.push_back(seed.get<int64_t>());

  std::string columns;
  for (const char* name : kNumbers) columns += fmt::format(", results.{}", name);
  Statement runs = database.prepare(
      "SELECT c.position, c.cell, c.\"values\", coalesce(c.paper, ''), c.stage, c.seed, c.run, coalesce(results.state, 'waiting'), "
      "results.config, coalesce(b.val_images, 0), coalesce(b.test_images, 0)" + columns +
      " FROM sweep_cells c LEFT JOIN results ON results.run = c.run LEFT JOIN runs b ON b.id = c.run WHERE c.sweep = ? "
      "ORDER BY c.position, c.seed, c.stage");
  runs.bind(1, sweep);
  int64_t position = -1;
  while (runs.step()) {
    if (data.cells.empty() || runs.integer(0) != position)
      data.cells.push_back({runs.text(1), "", parsed(runs.text(2), Json::object()), {}, {}});
    position = runs.integer(0);
    SweepCell& cell = data.cells.back();
    SweepRun run{runs.text(6), runs.text(4), runs.text(7), runs.integer(5), {}, runs.real(10), runs.real(9)};
    for (size_t i = 0; i < std::size(kNumbers); ++i)
      if (const Value value = runs.value(static_cast<int>(i) + 11); !is_null(value)) run.numbers[kNumbers[i]] = number_or(value, 0);
    if (!cell.config.contains(run.stage)) cell.config[run.stage] = parsed(runs.text(8), Json::object());
    if (const std::string paper = runs.text(3); !paper.empty()) cell.paper = paper;
    cell.runs.push_back(std::move(run));
  }
  return data;
}

}  // namespace simmim
