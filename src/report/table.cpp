#include "report/table.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "core/names.h"
#include "report/table_marks.h"
#include "runs/filter.h"
#include "runs/paper.h"

namespace simmim {
namespace {

const std::vector<std::string> kStages{"pretrain", "finetune", "probe", "eval"};
const std::vector<std::string> kLarger{"val_top1", "test_top1", "test_top5", "images_per_second"};
const std::vector<std::string> kSmaller{"train_loss", "val_loss", "seconds", "gpu_hours", "chain_gpu_hours"};
const std::vector<std::string> kPlain{"images_seen", "steps", "epochs", "parameters", "skipped_steps", "best_epoch"};

bool contains(const std::vector<std::string>& list, const std::string& name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

// The last stage that any cell has runs of, fine-tuning before probing.
std::string main_stage(const SweepData& data) {
  for (const char* stage : {"finetune", "probe", "eval", "pretrain"})
    for (const SweepCell& cell : data.cells)
      if (cell.config.contains(stage)) return stage;
  return "finetune";
}

// 1: larger is better, -1: smaller is, 0: neither.
int ranking_of(const std::string& metric) {
  const auto ends_with = [&](const char* word) { return metric.ends_with(word); };
  if (contains(kLarger, metric) || ends_with("accuracy") || ends_with("top1")) return 1;
  return contains(kSmaller, metric) || ends_with("loss") || ends_with("perplexity") ? -1 : 0;
}

// What pre-training is judged by means the same only where it is asked the same.
bool depends_on_the_task(const std::string& metric) {
  return metric.ends_with("loss") || metric.ends_with("accuracy") || metric.ends_with("perplexity");
}

// "finetune.val.top1" -> stage finetune, metric val_top1; what is left out is filled in.
ValueTable parse_value(const std::string& text, const std::string& split, const SweepData& data) {
  ValueTable table;
  table.value = text;
  std::string rest = text;
  for (const std::string& stage : kStages)
    if (rest.starts_with(stage + ".")) table.stage = stage, rest = rest.substr(stage.size() + 1);
  if (table.stage.empty()) table.stage = main_stage(data);
  const std::string curve = rest;
  std::replace(rest.begin(), rest.end(), '.', '_');
  if (rest == "top1") rest = "val_top1";
  if (rest == "top5") rest = "test_top5";
  if (!split.empty() && split != "val" && split != "test")
    fail(Code::usage, "--split {}: unknown; known: val or test", split);
  if (rest == "val_top1" && split == "test") rest = "test_top1";
  if (rest == "test_top1" && split == "val") rest = "val_top1";
  std::vector<std::string> known = kLarger;
  known.insert(known.end(), kSmaller.begin(), kSmaller.end());
  known.insert(known.end(), kPlain.begin(), kPlain.end());
  if (!contains(known, rest) && contains(data.curves, curve)) {
    table.metric = curve;
    table.larger_is_better = ranking_of(curve) > 0;
    return table;
  }
  for (const std::string& key : data.curves)
    if (!contains(known, key)) known.push_back(key);
  if (!contains(known, rest))
    fail(Code::usage, "value {}: unknown{}; a stage may stand in front, for example finetune.val.top1", text,
         unknown_name_hint(rest, known));
  table.metric = rest;
  table.larger_is_better = contains(kLarger, rest);
  const auto any_has = [&](const char* column) {
    for (const SweepCell& cell : data.cells)
      for (const SweepRun& run : cell.runs)
        if (run.stage == table.stage && run.numbers.contains(column)) return true;
    return false;
  };
  if (rest == "val_top1" && !any_has("val_top1") && any_has("test_top1")) {
    table.metric = "test_top1";
    table.notes.push_back("no validation split: these cells are compared on the test set, as in the paper's recipes");
  }
  return table;
}

// The keys of rows and columns, and those axes that must become groups because two cells would share a place.
struct Layout {
  std::string rows, columns;
  std::vector<std::string> groups;
};

std::string group_label(const SweepCell& cell, const std::string& stage, const std::vector<std::string>& keys) {
  std::vector<std::string> parts;
  for (const std::string& key : keys)
    if (const std::string label = label_of(cell.value(key, stage)); !label.empty())
      parts.push_back(key.starts_with("case") || key.starts_with("zip") ? label : key + "=" + label);
  return join(parts, " ");
}

std::string place_label(const SweepCell& cell, const std::string& stage, const std::string& key,
                        const SweepData& data) {
  if (key.empty()) return "";
  // A merged cell lacks the axes on which its runs do not depend.
  if (contains(data.axes, key)) return cell.values.contains(key) ? label_of(cell.values[key]) : "";
  return label_of(cell.value(key, stage));
}

Layout choose_layout(const SweepData& data, const TableOptions& options) {
  const auto key = [&](const std::string& asked, const char* name) {
    const std::string chosen = !asked.empty() ? asked
                               : data.table.contains(name) && data.table[name].is_string()
                                   ? data.table[name].get<std::string>()
                                   : "";
    if (chosen.empty() || contains(data.axes, chosen)) return chosen;
    for (const SweepCell& cell : data.cells)
      if (!cell.value(chosen, "finetune").is_null()) return chosen;
    fail(Code::usage, "'{}' is neither an axis of {} nor a leaf of its configuration{}", chosen, data.name,
         unknown_name_hint(chosen, data.axes));
  };
  Layout layout{key(options.rows, "rows"), key(options.columns, "columns"), options.groups};
  if (layout.groups.empty() && data.table.contains("groups")) {
    const Json& groups = data.table["groups"];
    if (groups.is_string())
      layout.groups = {groups.get<std::string>()};
    else if (groups.is_array())
      layout.groups = groups.get<std::vector<std::string>>();
  }
  const auto free_axis = [&] {
    for (const std::string& axis : data.axes)
      if (axis != layout.rows && axis != layout.columns && !contains(layout.groups, axis) && !axis.starts_with("case"))
        return axis;
    for (const std::string& axis : data.axes)
      if (axis != layout.rows && axis != layout.columns && !contains(layout.groups, axis)) return axis;
    return std::string();
  };
  const bool nothing_asked = layout.rows.empty() && layout.columns.empty();
  if (layout.rows.empty()) layout.rows = free_axis();
  if (nothing_asked) layout.columns = free_axis();
  return layout;
}

ValueTable make_value_table(const SweepData& data, const TableOptions& options, const Layout& asked,
                            const std::string& value, std::vector<std::string>& group_keys) {
  ValueTable table = parse_value(value, options.split, data);
  const std::vector<Condition> where = parse_filter(options.where);
  std::vector<const SweepCell*> cells;
  for (const SweepCell& cell : data.cells) {
    TableEntry entry{.cell = cell.name,
                     .row = place_label(cell, table.stage, asked.rows, data),
                     .column = place_label(cell, table.stage, asked.columns, data),
                     .group = "",
                     .values = cell.values};
    entry.by_seed = values_by_seed(cell, table.stage, table.metric, &entry);
    const auto lookup = [&](const std::string& key) {
      return key == "cell" ? Value(cell.name) : to_value(cell.value(key, table.stage));
    };
    if (entry.planned == 0 || !fulfils_all(where, lookup)) continue;
    const std::vector<double> values = values_of(entry.by_seed);
    entry.mean = mean(values), entry.deviation = standard_deviation(values);
    entry.complete = static_cast<int64_t>(values.size()) == entry.planned &&
                     entry.planned >= static_cast<int64_t>(data.seeds.size());
    for (const std::string& column : options.show)
      if (column != "n" && column != "paper")
        entry.extras[column] = mean(values_of(values_by_seed(cell, table.stage, column, nullptr)));
    table.entries.push_back(std::move(entry));
    cells.push_back(&cell);
  }
  const auto in_grid = [&](const TableEntry& e) {
    return (asked.rows.empty() || !e.row.empty()) && (asked.columns.empty() || !e.column.empty());
  };
  group_keys = asked.groups;
  const auto label_groups = [&] {
    std::set<std::string> places;
    bool shared = false;
    for (size_t i = 0; i < cells.size(); ++i) {
      TableEntry& entry = table.entries[i];
      entry.group = in_grid(entry) ? group_label(*cells[i], table.stage, group_keys) : "";
      shared =
          shared || (in_grid(entry) && !places.insert(entry.group + "\n" + entry.row + "\n" + entry.column).second);
    }
    return shared;
  };
  for (const std::string& axis : data.axes)
    if (label_groups() && axis != asked.rows && axis != asked.columns && !contains(group_keys, axis))
      group_keys.push_back(axis);
  label_groups();
  for (const TableEntry& entry : table.entries) {
    if (!in_grid(entry)) continue;
    if (!contains(table.rows, entry.row)) table.rows.push_back(entry.row);
    if (!contains(table.columns, entry.column)) table.columns.push_back(entry.column);
    if (!contains(table.groups, entry.group)) table.groups.push_back(entry.group);
  }

  mark_other_budgets(table, cells);
  mark_tuned_edges(table, cells, data.tuned);
  const Json baseline = !options.baseline.is_null() ? options.baseline : data.table.value("baseline", Json());
  const std::vector<int> baselines = find_baselines(table, cells, data, baseline);
  const bool ranked = ranking_of(table.metric) != 0;
  if (depends_on_the_task(table.metric) && !losses_comparable(table, cells)) {
    table.notes.push_back(
        "these values are not comparable (mask, target, loss, area, normalisation or data differ): no best, no test");
  } else if (ranked) {
    mark_best(table, cells);
    compare_with_baselines(table, baselines);
  }
  set_beside_paper(table, cells, data, baselines);
  if (!options.out.empty()) compare_images(table, cells, options.out);
  add_notes(table, cells);
  return table;
}

// What is asked for and is no column of `results` may be a curve: its last value.
void read_curves(const Sqlite& database, SweepData& data, const TableOptions& options) {
  std::vector<std::string> asked = options.values;
  if (data.table.contains("value")) {
    const Json& value = data.table["value"];
    for (const Json& one : value.is_array() ? value : Json::array({value}))
      if (one.is_string()) asked.push_back(one);
  }
  for (std::string name : asked) {
    for (const std::string& stage : kStages)
      if (name.starts_with(stage + ".")) name = name.substr(stage.size() + 1);
    std::string column = name;
    std::replace(column.begin(), column.end(), '.', '_');
    if (column != "top1" && column != "top5" && !contains(number_columns(), column)) add_curve(database, data, name);
  }
}

}  // namespace

std::string first_sentence(const std::string& about) {
  for (size_t i = 0; i < about.size(); ++i)
    if ((about[i] == '?' || about[i] == '.') && (i + 1 == about.size() || about[i + 1] == ' '))
      return about.substr(0, i + 1);
  return about;
}

ComparisonTable make_table(const Sqlite& database, const std::string& sweep, const TableOptions& options) {
  SweepData data = read_sweep_data(database, sweep);
  read_curves(database, data, options);
  const Layout layout = choose_layout(data, options);
  std::vector<std::string> known{"n", "paper"};
  for (const auto* list : {&kLarger, &kSmaller, &kPlain}) known.insert(known.end(), list->begin(), list->end());
  for (const std::string& column : options.show)
    if (!contains(known, column)) fail(Code::usage, "--show {}: unknown{}", column, unknown_name_hint(column, known));
  std::vector<std::string> values = options.values;
  if (values.empty() && data.table.contains("value")) {
    const Json& value = data.table["value"];
    values =
        value.is_array() ? value.get<std::vector<std::string>>() : std::vector<std::string>{value.get<std::string>()};
  }
  if (values.empty()) values.push_back(main_stage(data) == "pretrain" ? "pretrain.val.loss" : "top1");
  ComparisonTable table{data.name, data.about, layout.rows, layout.columns, {}, options.show, {}};
  for (const std::string& value : values)
    table.values.push_back(make_value_table(data, options, layout, value, table.group_keys));
  return table;
}

}  // namespace simmim
