#include "sweep/table_check.h"

#include <algorithm>
#include <set>

#include "core/error.h"
#include "core/names.h"
#include "runs/schema.h"

namespace simmim {
namespace {

const std::vector<std::string> kTableKeys = {"rows", "columns", "groups", "value", "baseline"};

// What the trainers write into a journal beside the columns of `results`, dots as underscores.
const std::vector<std::string> kCurves = {"loss",     "lr",           "grad_norm",     "data_wait",
                                          "val_top5", "val_accuracy", "val_perplexity"};

bool is_in(const std::string& name, const std::vector<std::string>& names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// A text, or a list of texts.
std::vector<std::string> texts_at(const Json& table, const char* key) {
  const Json value = table.value(key, Json::array());
  std::vector<std::string> texts;
  for (const Json& one : value.is_array() ? value : Json::array({value})) {
    if (!one.is_string())
      fail(Code::usage, "sweep.table.{}: got {}; allowed: a text, or a list of texts", key, value.dump());
    texts.push_back(one);
  }
  return texts;
}

// The configurations of a cell's runs, those of its first chain.
std::vector<const Json*> configs_of(const Json& cell, const Json& runs) {
  std::vector<const Json*> configs;
  for (const Json& member : cell.at("chains").at(0).at("runs"))
    configs.push_back(&runs.at(member.at("id").get<std::string>()).at("config"));
  return configs;
}

void check_leaf(const char* key, const std::string& leaf, const SweepFile& sweep, const Json& plan) {
  std::vector<std::string> known = sweep.axes;
  if (is_in(leaf, known)) return;
  std::set<std::string> found;
  for (const Json& run : plan.at("runs"))
    for (const auto& [name, value] : leaves(run.at("config"))) found.insert(name);
  if (found.contains(leaf)) return;
  known.insert(known.end(), found.begin(), found.end());
  const std::string near = nearest(leaf, known);
  fail(Code::usage, "sweep.table.{}: {} is neither an axis of this sweep nor a leaf of its runs{}; axes: {}", key, leaf,
       near.empty() ? "" : fmt::format("; did you mean '{}'?", near), sweep.axes.empty() ? "none" : one_of(sweep.axes));
}

// "finetune.val.top1": the stage must be run; a metric may be any curve, but not a misspelt column.
void check_value(const std::string& value, const SweepFile& sweep) {
  std::string metric = value;
  for (const std::string stage : {"pretrain", "finetune", "probe", "eval"}) {
    if (!value.starts_with(stage + ".")) continue;
    metric = value.substr(stage.size() + 1);
    if (!is_in(stage, sweep.stages))
      fail(Code::usage, "sweep.table.value: {} is of a stage that this sweep does not run; stages: {}", value,
           one_of(sweep.stages));
  }
  std::replace(metric.begin(), metric.end(), '.', '_');
  std::vector<std::string> known = {"top1", "top5"};
  for (const auto* names : {&result_columns(), &kCurves}) known.insert(known.end(), names->begin(), names->end());
  if (const std::string near = nearest(metric, known); !near.empty() && !is_in(metric, known))
    fail(Code::usage, "sweep.table.value: {} is unknown; did you mean '{}'?", value, near);
}

bool agrees(const Json& cell, const Json& runs, const Json& wanted) {
  if (wanted.is_string()) return cell.at("cell") == wanted;
  for (const auto& [key, value] : wanted.items()) {
    const std::string text = canonical(value);
    bool is_same = cell.at("values").contains(key) && canonical(cell["values"][key]) == text;
    if (!cell["values"].contains(key))
      for (const Json* config : configs_of(cell, runs))
        if (const Json* leaf = find_path(*config, key)) is_same = is_same || canonical(*leaf) == text;
    if (!is_same) return false;
  }
  return true;
}

void check_baseline(const Json& wanted, const SweepFile& sweep, const Json& plan) {
  std::vector<std::string> names;
  for (const Json& cell : plan.at("cells")) {
    if (agrees(cell, plan.at("runs"), wanted)) return;
    names.push_back(cell.at("cell"));
  }
  const bool merged = names.size() < sweep.cells.size();
  if (names.size() > 8) names.resize(8), names.push_back("...");
  fail(Code::usage, "sweep.table.baseline: {} fits no cell{}; cells: {}", wanted.dump(),
       merged ? "; cells whose runs are the same are one, with the values that they share" : "", join(names, "; "));
}

}  // namespace

void check_table(const SweepFile& sweep, const Json& plan) {
  for (const auto& [key, value] : sweep.table.items())
    if (!is_in(key, kTableKeys))
      fail(Code::usage, "sweep.table.{}: unknown key{}", key, unknown_name_hint(key, kTableKeys));
  for (const char* key : {"rows", "columns", "groups"})
    for (const std::string& leaf : texts_at(sweep.table, key)) check_leaf(key, leaf, sweep, plan);
  for (const std::string& value : texts_at(sweep.table, "value")) check_value(value, sweep);
  const Json baseline = sweep.table.value("baseline", Json());
  if (baseline.is_null()) return;
  if (!baseline.is_string() && !baseline.is_object())
    fail(Code::usage, "sweep.table.baseline: got {}; allowed: a cell's name, or leaves with their values",
         baseline.dump());
  check_baseline(baseline, sweep, plan);
}

}  // namespace simmim
