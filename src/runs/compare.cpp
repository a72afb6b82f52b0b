// compare: what differs between runs or cells.
#include <algorithm>
#include <map>

#include "core/names.h"
#include "runs/query.h"
#include "runs/run_folder.h"

namespace simmim {
namespace {

// One thing to compare: the leaves of its configuration (its chain's for a cell) and its results.
struct Side {
  std::string name;
  std::map<std::string, Value> config, results;
};

constexpr const char* kResultKeys[] = {
    "state",      "seed",  "val_top1",    "test_top1",         "test_top5",       "train_loss", "val_loss",
    "parameters", "steps", "images_seen", "images_per_second", "chain_gpu_hours", "device",     "git_commit"};

void add_config(const Sqlite& database, Side& side, const std::string& run) {
  Statement text = database.prepare("SELECT config FROM results WHERE run = ?");
  if (!text.bind(1, run).step()) return;
  for (const auto& [key, value] : leaves(Json::parse(text.text(0), nullptr, /*allow_exceptions=*/false)))
    side.config[key] = to_value(value);
}

Side run_side(const Sqlite& database, const std::string& name, const std::string& id) {
  Side side{name, {}, {}};
  Statement row = database.prepare("SELECT * FROM results WHERE run = ?");
  if (!row.bind(1, id).step())
    fail(Code::usage, "{}: the database does not know run {} yet; `simmim status` takes it in", name, id);
  std::string parent;
  for (int i = 0; i < row.columns(); ++i) {
    const std::string column = row.column_name(i);
    if (column == "parent") parent = row.text(i);
    if (std::find(std::begin(kResultKeys), std::end(kResultKeys), column) != std::end(kResultKeys))
      side.results[column] = row.value(i);
  }
  if (!parent.empty()) add_config(database, side, parent);
  add_config(database, side, id);
  return side;
}

Side cell_side(const Sqlite& database, const std::string& name, const std::string& sweep, const std::string& any_run) {
  Side side{name, {}, {}};
  Statement of_run = database.prepare("SELECT cell, seed FROM members WHERE sweep = ? AND run = ?");
  of_run.bind_all(sweep, any_run);
  if (!of_run.step())
    fail(Code::usage, "{}: the database does not know this cell yet; `simmim status` takes it in", name);
  const std::string cell = of_run.text(0);
  const int64_t seed = of_run.integer(1);
  Statement runs = database.prepare("SELECT run FROM members WHERE sweep = ? AND cell = ? AND seed = ?");
  runs.bind_all(sweep, cell, seed);
  while (runs.step()) add_config(database, side, runs.text(0));
  side.config.erase("seed");
  Statement metrics =
      database.prepare("SELECT stage, metric, mean, std, n FROM cells WHERE sweep = ? AND cell = ? AND n > 0");
  metrics.bind_all(sweep, cell);
  while (metrics.step())
    side.results[metrics.text(0) + "." + metrics.text(1)] =
        is_null(metrics.value(3))
            ? metrics.value(2)
            : Value(fmt::format("{:.4g} ± {:.2g} (n {})", metrics.real(2), metrics.real(3), metrics.integer(4)));
  return side;
}

}  // namespace

Frame compare_runs(const Sqlite& database, const fs::path& out, const std::vector<std::string>& names) {
  if (names.size() < 2) fail(Code::usage, "compare: got {} name; give two or more runs or SWEEP:cell", names.size());
  std::vector<Side> sides;
  for (const std::string& name : names) {
    const std::string id = resolve_run(out, name);
    const bool cell = name.find(':') != std::string::npos && name.find("seed=") == std::string::npos &&
                      name.find("stage=") == std::string::npos;
    sides.push_back(cell ? cell_side(database, name, name.substr(0, name.find(':')), id)
                         : run_side(database, name, id));
  }
  Frame frame{{"key"}, {}};
  for (const Side& side : sides) frame.columns.push_back(side.name);
  const auto add_rows = [&](auto member, bool only_differing) {
    std::map<std::string, std::vector<Value>> rows;
    for (size_t i = 0; i < sides.size(); ++i)
      for (const auto& [key, value] : sides[i].*member) {
        rows[key].resize(sides.size());
        rows[key][i] = value;
      }
    for (auto& [key, values] : rows) {
      if (only_differing && std::all_of(values.begin(), values.end(), [&](const Value& v) { return v == values[0]; }))
        continue;
      values.insert(values.begin(), Value(key));
      frame.rows.push_back(std::move(values));
    }
  };
  add_rows(&Side::config, true);
  add_rows(&Side::results, false);
  return frame;
}

}  // namespace simmim
