#include "cli/completions.h"

#include <algorithm>
#include <set>

#include "cli/commands.h"
#include "cli/schema.h"
#include "core/error.h"
#include "core/names.h"
#include "core/recipes.h"
#include "report/table_data.h"
#include "runs/paper.h"
#include "runs/run_folder.h"
#include "runs/schema.h"
#include "sweep/grid.h"

namespace simmim {
namespace {

using Completions = std::vector<Completion>;

bool holds(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

// The parts of a row's value: "RUN|FILE" names two kinds of things.
bool takes(const Args::Row& row, const std::string& kind) {
  for (const std::string& part : split(row.value, '|'))
    if (part == kind || part == kind + "...") return true;
  return false;
}

void add_names(Completions& out, const std::vector<std::string>& names, const std::string& help = "") {
  for (const std::string& name : names) out.push_back({name, help});
}

void add_runs(Completions& out, const fs::path& results) {
  out.push_back({"latest", "the run written to last"});
  std::error_code missing;
  for (const auto& entry : fs::directory_iterator(runs_folder(results), missing))
    if (const std::string name = entry.path().filename(); !name.starts_with(".")) out.push_back({name, "run"});
}

void add_recipes(Completions& out) {
  for (const fs::path& file : known_recipes()) out.push_back({file.stem().string(), "recipe"});
}

// The values of a key: the choices of a text, true and false, names of presets, data sets and runs; else its default.
void add_values(Completions& out, const std::string& key, const fs::path& results) {
  static const std::set<std::string> kTypes{"text", "integer", "number", "object"};  // stand where there are no choices
  std::string inner = key;  // finetune.data.image_size is data.image_size
  for (const char* stage : {"finetune.", "probe.", "pretrain."})
    for (const char* section : {"data.", "encoder."})
      if (inner.starts_with(std::string(stage) + section)) inner = inner.substr(std::string(stage).size());
  std::set<std::string> values;
  for (const KeyHelp& known : all_keys()) {
    if (known.key != inner) continue;
    std::string allowed = known.allowed;
    for (size_t at; (at = allowed.find(" or ")) != std::string::npos;)
      allowed = allowed.substr(0, at) + "," + allowed.substr(at + 4);
    for (const std::string& part : split(allowed, ','))
      if (const std::string word = trim(part); !word.empty() && !holds(word, " ") && !kTypes.contains(word))
        values.insert(word);
    if (known.default_value.is_boolean()) values.insert({"true", "false"});
    if (known.default_value.is_number()) values.insert(known.default_value.dump());
    if (known.default_value.is_string() && !known.default_value.get<std::string>().empty())
      values.insert(known.default_value.get<std::string>());
  }
  const auto add_schema = [&](const char* list) {
    for (const Json& entry : schema().value(list, Json::array()))
      values.insert(entry.is_object() ? entry.value("name", "") : entry.get<std::string>());
  };
  if (inner == "encoder.preset") add_schema("presets");
  if (inner == "data.name") add_schema("datasets");
  if (inner == "device") values.insert({"cpu", "cuda"});
  for (const std::string& value : values) out.push_back({key + "=" + value, ""});
  if (key == "finetune.from" || key == "probe.from") {
    Completions runs;
    add_runs(runs, results);
    if (key == "finetune.from") runs.push_back({"scratch", "random weights"});
    for (const Completion& run : runs) out.push_back({key + "=" + run.word, run.help});
  }
}

// Keys of the configuration; data and encoder also inside of a stage once that is typed.
std::vector<KeyHelp> keys_for(const std::string& current) {
  std::vector<KeyHelp> keys = all_keys();
  for (const char* stage : {"finetune.", "probe."})
    if (current.starts_with(stage))
      for (KeyHelp key : all_keys())
        if (key.key.starts_with("data.") || key.key.starts_with("encoder.")) {
          key.key = stage + key.key;
          keys.push_back(std::move(key));
        }
  return keys;
}

void add_assignments(Completions& out, const std::string& current, const fs::path& results) {
  if (const size_t equals = current.find('='); equals != std::string::npos) {
    add_values(out, current.substr(0, equals), results);
    return;
  }
  const std::vector<KeyHelp> keys = keys_for(current);
  for (const KeyHelp& key : keys) out.push_back({key.key + "=", key.help});
  // A key that is typed in full: its values at once.
  for (const KeyHelp& key : keys)
    if (key.key == current) add_values(out, current, results);
}

void add_keys(Completions& out, const std::string& current) {
  for (const KeyHelp& key : keys_for(current)) out.push_back({key.key, key.help});
  add_names(out, result_columns());
}

void add_metrics(Completions& out) {
  out.push_back({"top1", "val top-1, or test top-1 where there is no validation split"});
  for (const char* stage : {"", "pretrain.", "finetune.", "probe."})
    for (const std::string& name : number_columns()) out.push_back({stage + name, ""});
}

// The last condition of an EXPR: a key, then its values.
void add_conditions(Completions& out, const std::string& current, const fs::path& results) {
  const size_t space = current.rfind(' ');
  const std::string before = space == std::string::npos ? "" : current.substr(0, space + 1);
  const std::string last = current.substr(before.size());
  Completions conditions;
  add_assignments(conditions, last, results);
  if (last.find('=') == std::string::npos)
    for (const std::string& column : result_columns()) conditions.push_back({column + "=", ""});
  else if (last.starts_with("state="))
    for (const std::string& state : run_states()) conditions.push_back({"state=" + state, ""});
  for (Completion& one : conditions) out.push_back({before + one.word, one.help});
}

// The cells of the sweep file that stands on the line, value by value: for --only.
void add_cell_values(Completions& out, const std::vector<std::string>& words) {
  for (size_t i = 1; i + 1 < words.size(); ++i) {
    if (words[i].starts_with('-') || holds(words[i], "=")) continue;
    try {
      for (const Cell& cell : read_sweep(find_sweep(words[i])).cells)
        for (const auto& [key, value] : cell.values.items())
          out.push_back({key + "=" + (value.is_string() ? value.get<std::string>() : value.dump()), "cells"});
      out.push_back({"seed=", "chains of this seed"});
      return;
    } catch (const Error&) {  // no sweep, or a wrong one: nothing to offer
    }
  }
}

// What may follow an option or stand at a place of its own.
void add_for_row(Completions& out, const Args::Row& row, const std::string& current, const fs::path& results) {
  if (!row.choices.empty()) add_names(out, row.choices);
  if (takes(row, "RUN")) add_runs(out, results);
  if (takes(row, "SWEEP")) {
    add_names(out, sweep_names(results), "sweep");
    if (holds(row.help, "paper"))
      for (const PaperTable& table : paper_tables()) out.push_back({table.name, table.title});
  }
  if (takes(row, "SWEEP:cell"))
    for (const std::string& name : sweep_names(results)) out.push_back({name + ":", "a cell of it"});
  if (takes(row, "RECIPE")) add_recipes(out);
  if (takes(row, "FILE") && holds(row.help, "recipe")) add_recipes(out);
  if (takes(row, "FILE") && row.names.empty() && holds(row.help, "sweep")) add_names(out, known_sweep_names(), "sweep");
  if (takes(row, "key=value")) add_assignments(out, current, results);
  if (takes(row, "KEY") || takes(row, "KEY,KEY") || takes(row, "A,B")) add_keys(out, current);
  if (takes(row, "METRIC") || takes(row, "M,M")) add_metrics(out);
  if (takes(row, "EXPR")) add_conditions(out, current, results);
}

bool names_row(const Args::Row& row, const std::string& word) {
  for (const std::string& name : split(row.names, ','))
    if (name == word && !word.empty()) return true;
  return false;
}

fs::path results_folder(const std::vector<std::string>& words, const CommonOptions& common) {
  fs::path folder = common.out;
  for (size_t i = 0; i < words.size(); ++i) {
    if (words[i].starts_with("--out=")) folder = words[i].substr(6);
    if (words[i] == "--out" && i + 2 < words.size()) folder = words[i + 1];
  }
  return folder;
}

void add_for_command(Completions& out, const Command& command, const std::vector<std::string>& words) {
  Args args(command.name, command.help);
  const auto run = command.declare(args);
  std::vector<Args::Row> rows = args.rows();
  rows.push_back({"--out", "DIR", "where runs and the database live", {}});
  rows.push_back({"--db", "FILE", "the database", {}});
  rows.push_back({"--json", "", "one JSON document on standard output", {}});
  rows.push_back({"--quiet", "", "no progress, no hints", {}});
  rows.push_back({"--help", "", "what it takes", {}});
  const std::string &current = words.back(), &before = words[words.size() - 2];
  const fs::path results = results_folder(words, args.common());
  for (const Args::Row& row : rows)
    if (!row.value.empty() && names_row(row, before)) {
      if (command.name == "sweep" && before == "--only")
        add_cell_values(out, words);
      else
        add_for_row(out, row, current, results);
      if (command.name == "finetune" && before == "--from") out.push_back({"scratch", "random weights"});
      return;
    }
  for (const Args::Row& row : rows) {
    if (row.names.empty())
      add_for_row(out, row, current, results);
    else if (current.starts_with('-'))
      for (const std::string& name : split(row.names, ','))
        if (name.starts_with("--")) out.push_back({name, row.help});
  }
}

}  // namespace

std::vector<Completion> completions(const std::vector<std::string>& words) {
  Completions all;
  const std::string current = words.empty() ? "" : words.back();
  if (words.size() <= 1 || (words.size() == 2 && words[0] == "help")) {
    for (const Command& command : all_commands())
      if (!command.group.empty()) all.push_back({command.name, command.help});
    if (words.size() <= 1) all.push_back({"help", "help COMMAND tells more"});
  } else {
    for (const Command& command : all_commands())
      if (command.name == words[0] && !command.group.empty()) add_for_command(all, command, words);
  }
  Completions out;
  std::set<std::string> seen;
  for (Completion& one : all)
    if (one.word.starts_with(current) && seen.insert(one.word).second) out.push_back(std::move(one));
  return out;
}

}  // namespace simmim
