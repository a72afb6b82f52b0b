#include "report/paper_table.h"

#include <algorithm>
#include <cmath>

#include "core/names.h"
#include "core/recipes.h"
#include "report/table.h"
#include "report/table_marks.h"
#include "sweep/grid.h"

namespace simmim {
namespace {

Json config_of(const Sqlite& database, const std::string& run) {
  Statement text = database.prepare("SELECT value FROM config_values WHERE key = '' AND run = ?");
  if (!text.bind(1, run).step()) return Json::object();
  Json config = Json::parse(text.text(0), nullptr, /*allow_exceptions=*/false);
  return config.is_object() ? config : Json::object();
}

// A pre-training run under the paper's conditions.
struct PreTraining {
  double parameters = NAN, images_per_second = NAN;
  std::string device;
};

// Finished runs of a stage whose chain agrees with a cell of the table go into its row. The encoder's name narrows the
// runs down before configurations are read.
void add_own_runs(const Sqlite& database, PaperComparison& comparison, const std::string& stage,
                  std::map<const PaperValue*, std::vector<PreTraining>>& trained) {
  const PaperTable& table = *comparison.table;
  Statement runs = database.prepare(
      "SELECT r.id, r.seed, r.test_top1, p.id, p.images_seen, p.parameters, p.images_per_second, p.device FROM runs r "
      "JOIN runs p ON p.id = r.parent WHERE r.kind = ? AND r.state = 'done' AND r.test_top1 IS NOT NULL AND r.encoder "
      "= ? ORDER BY r.id");
  runs.bind_all(stage, table.setup.value("encoder.name", ""));
  std::map<const PaperValue*, std::map<int64_t, std::vector<double>>> found;
  while (runs.step()) {
    const Json leaves = chain_leaves({config_of(database, runs.text(3)), config_of(database, runs.text(0))});
    const PaperValue* value = find_paper_value(table, leaves, stage);
    if (value == nullptr || !same_conditions(table, *value, leaves, runs.real(4))) continue;
    for (PaperRow& row : comparison.rows)
      if (row.paper == value) row.runs.push_back(runs.text(0));
    found[value][runs.integer(1)].push_back(runs.real(2));
    trained[value].push_back({runs.real(5), runs.real(6), runs.text(7)});
  }
  for (PaperRow& row : comparison.rows)
    for (const auto& [seed, values] : found[row.paper]) row.by_seed[seed] = mean(values);
}

// Parameters as counted; cost: seconds an image over those of the default cell, on the same device.
void measure(PaperComparison& comparison, const std::map<const PaperValue*, std::vector<PreTraining>>& trained) {
  const PaperTable& table = *comparison.table;
  const auto runs_of = [&](const PaperValue* value) {
    const auto it = trained.find(value);
    return it == trained.end() ? std::vector<PreTraining>{} : it->second;
  };
  const std::vector<PreTraining> defaults = runs_of(find_paper_value(table, table.default_values, "finetune"));
  for (PaperRow& row : comparison.rows)
    for (auto& [metric, measure] : row.measures)
      for (const PreTraining& run : runs_of(row.paper)) {
        if (metric == "parameters" && !std::isnan(run.parameters)) measure.ours = run.parameters;
        for (const PreTraining& other : defaults)
          if (metric == "cost" && other.device == run.device && run.images_per_second > 0)
            measure.ours = other.images_per_second / run.images_per_second;
      }
}

// The cells of the sweep of the table's own name, as --only names them.
void add_commands(PaperComparison& comparison) {
  SweepFile sweep;
  try {
    sweep = read_sweep(find_sweep(comparison.table->name));
  } catch (const Error&) {
    return;  // an installation without sweeps
  }
  for (PaperRow& row : comparison.rows)
    for (const Cell& cell : sweep.cells) {
      bool agrees = row.by_seed.empty();
      for (const auto& [key, value] : row.paper->values.items()) {
        if (!agrees) break;
        Json leaf = cell_leaf(cell, sweep, key);
        if (leaf.is_null() && key.starts_with("finetune.") && value == "pretrain") leaf = value;
        if (leaf.is_null() && key == "method.name") leaf = "simmim";
        if (key.starts_with("data."))  // a stage has its own
          if (const Json own = cell_leaf(cell, sweep, "finetune." + key); !own.is_null()) leaf = own;
        agrees = agrees && canonical(leaf) == canonical(value);
      }
      if (!agrees || !row.command.empty()) continue;
      std::vector<std::string> parts;
      for (const auto& [key, value] : cell.values.items()) {
        const std::string label = label_of(value);
        if (!key.starts_with("zip"))
          parts.push_back(key + "=" + (label.find(' ') == std::string::npos ? label : "\"" + label + "\""));
      }
      row.command = fmt::format("simmim sweep {}", comparison.table->name);
      if (sweep.cells.size() > 1) row.command += " --only '" + join(parts, " ") + "'";
    }
}

// "−0.42 ± 0.31, same sign": the difference to the sweep's default cell with half its interval, beside the paper's to
// its default (nullptr: no number of the paper stands there).
std::string elsewhere_text(const TableEntry& entry, const ValueTable& table, const PaperValue& paper,
                           const PaperValue* standard) {
  if (entry.baseline) return "default";
  if (entry.difference) {
    const bool beside = standard != nullptr && standard != &paper;
    const std::string verdict = beside ? paper_verdict(entry, paper.value - standard->value) : "";
    return fmt::format("{} ± {:.2f}{}", signed_text(entry.difference->value, 2),
                       (entry.difference->high - entry.difference->low) / 2, verdict.empty() ? "" : ", " + verdict);
  }
  for (const TableEntry& other : table.entries)
    if (other.baseline && other.group == entry.group && !std::isnan(entry.mean) && !std::isnan(other.mean))
      return signed_text(entry.mean - other.mean, 2) + ", not tested";
  return "";
}

// A sweep of ours that asks the table's question under other conditions. Where several of its cells stand for one of
// the paper's, the one that differs from the sweep's default in the table's axes only.
void add_sweep(const Sqlite& database, PaperComparison& comparison, const std::string& sweep) {
  const ComparisonTable whole = make_table(database, sweep, {.values = {"finetune.val.top1"}});
  const ValueTable& table = whole.values.at(0);
  Json defaults = Json::object();
  for (const TableEntry& entry : table.entries)
    if (entry.baseline) defaults = entry.values;
  const auto only_differs_in_axes = [&](const TableEntry& entry) {
    for (const auto& [key, value] : entry.values.items()) {
      const bool axis =
          key.starts_with("case") || key.starts_with("zip") ||
          std::find(comparison.table->axes.begin(), comparison.table->axes.end(), key) != comparison.table->axes.end();
      if (!axis && defaults.contains(key) && canonical(defaults[key]) != canonical(value)) return false;
    }
    return true;
  };
  bool any = false;
  for (PaperRow& row : comparison.rows)
    for (const TableEntry& entry : table.entries)
      if (entry.paper && entry.paper->cell == row.paper->cell && row.paper->stage == table.stage &&
          !entry.paper->comparable && only_differs_in_axes(entry)) {
        const PaperValue* standard =
            find_paper_value(*comparison.table, comparison.table->default_values, row.paper->stage);
        const std::string text = elsewhere_text(entry, table, *row.paper, standard);
        any = any || !text.empty();
        if (!text.empty()) row.elsewhere[sweep] = text;
      }
  if (any) comparison.sweeps.push_back(sweep);
}

}  // namespace

bool has_measure(const PaperComparison& comparison, const std::string& metric) {
  return std::any_of(comparison.rows.begin(), comparison.rows.end(),
                     [&](const PaperRow& row) { return row.measures.contains(metric); });
}

PaperComparison compare_with_paper(const Sqlite& database, const std::string& name) {
  PaperComparison comparison{find_paper_table(name), {}, {}, {}};
  if (comparison.table == nullptr) {
    std::vector<std::string> names;
    for (const PaperTable& known : paper_tables()) names.push_back(known.name);
    fail(Code::usage, "{}: no such table of the paper{}", name, unknown_name_hint(name, names));
  }
  std::vector<std::string> stages;
  for (const PaperValue& value : comparison.table->values) {
    if (value.metric != "test.top1") {
      for (PaperRow& row : comparison.rows)
        if (row.paper->cell == value.cell && row.paper->stage == "finetune")
          row.measures[value.metric] = {&value, std::nullopt};
      continue;
    }
    PaperRow row{.paper = &value};
    for (const std::string& axis : comparison.table->axes)
      row.labels.push_back(axis == "stage" ? value.stage : label_of(value.values.value(axis, Json())));
    if (std::find(stages.begin(), stages.end(), value.stage) == stages.end()) stages.push_back(value.stage);
    comparison.rows.push_back(std::move(row));
  }
  std::map<const PaperValue*, std::vector<PreTraining>> trained;
  for (const std::string& stage : stages) add_own_runs(database, comparison, stage, trained);
  measure(comparison, trained);
  add_commands(comparison);
  Statement sweeps = database.prepare("SELECT name FROM sweeps WHERE paper = ? ORDER BY name");
  sweeps.bind(1, name);
  while (sweeps.step()) add_sweep(database, comparison, sweeps.text(0));

  comparison.notes = {
      "? = not verified against the paper's text",
      "ours: finished runs with the paper's data, encoder, sizes and epochs, mean ± std over seeds (n); "
      "where there is none, the command that fills the cell"};
  if (has_measure(comparison, "cost"))
    comparison.notes.push_back(
        "cost: of pre-training, times the default cell's; ours on one device, by images a second");
  if (has_measure(comparison, "avg_dist"))
    comparison.notes.push_back(
        "AvgDist: mean distance in pixels of a masked pixel to the nearest visible one, our simulation at 192 pixels; "
        "the paper finds 10 to 20 best");
  if (!comparison.sweeps.empty())
    comparison.notes.push_back(
        "columns named after sweeps: differences in points to their own default cell, with half the 95 % interval, "
        "beside the paper's to its default; their conditions are not the paper's, so their values do not stand here");
  return comparison;
}

}  // namespace simmim
