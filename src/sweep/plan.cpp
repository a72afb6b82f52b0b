#include "sweep/plan.h"

#include <algorithm>
#include <map>
#include <set>

#include "core/error.h"
#include "core/files.h"
#include "core/names.h"
#include "core/process.h"
#include "runs/estimate.h"
#include "runs/run_folder.h"

namespace simmim {
namespace {

struct Chain {
  size_t cell;
  int64_t seed;
  std::optional<int64_t> finetune_seed;
};

Overrides pairs(const Json& dotted) {
  Overrides out;
  for (const auto& [key, value] : dotted.items()) out.emplace_back(key, value);
  return out;
}

void check_seeds_are_free(const SweepFile& sweep, const Overrides& overrides) {
  const auto refuse = [](const std::string& where) {
    fail(Code::usage, "{}: a sweep gives each chain its seed; use \"seeds\" of the file or --seeds", where);
  };
  for (const auto& [key, value] : overrides)
    if (key == "seed") refuse("seed");
  if (sweep.set.contains("seed")) refuse("sweep.set.seed");
  for (const Cell& cell : sweep.cells)
    if (cell.set.contains("seed")) refuse("cell '" + cell.name + "', seed");
}

std::vector<Chain> chains_of(const SweepFile& sweep, const std::vector<int64_t>& seeds) {
  std::vector<Chain> chains;
  for (size_t cell = 0; cell < sweep.cells.size(); ++cell)
    for (const int64_t seed : seeds) {
      if (sweep.finetune_seeds.empty()) chains.push_back({cell, seed, std::nullopt});
      for (const int64_t inner : sweep.finetune_seeds) chains.push_back({cell, seed, seed + 1000 * inner});
    }
  return chains;
}

Json request_for(const SweepFile& sweep, const Chain& chain, const PlanOptions& options) {
  const Cell& cell = sweep.cells[chain.cell];
  Json layers = Json::array();
  if (!sweep.base.empty()) layers.push_back(recipe_layer(sweep.base));
  layers.push_back(override_layer("sweep.set", pairs(sweep.set)));
  layers.push_back(override_layer("cell '" + cell.name + "'", pairs(cell.set)));
  layers.push_back(override_layer("command line", options.overrides));
  Overrides seeds = {{"seed", chain.seed}};
  if (chain.finetune_seed) seeds.emplace_back("finetune.seed", *chain.finetune_seed);
  layers.push_back(override_layer("seeds", seeds));
  return {{"layers", std::move(layers)}, {"stages", sweep.stages}};
}

// Code::usage with every cell that failed, each once. What is wrong with all of them in the same way (no data, a typo
// on the command line) is said once, with its own code.
void refuse_invalid_cells(const SweepFile& sweep, const std::vector<Chain>& chains, const std::vector<Json>& answers) {
  std::vector<std::string> lines;
  std::set<size_t> failed;
  std::set<std::string> reasons;
  for (size_t i = 0; i < answers.size(); ++i) {
    if (!answers[i].contains("error")) continue;
    const std::string reason = answers[i]["error"];
    reasons.insert(reason);
    if (failed.insert(chains[i].cell).second)
      lines.push_back(fmt::format("  {}: {}", sweep.cells[chains[i].cell].name, reason));
  }
  if (failed.empty()) return;
  if (reasons.size() == 1 && failed.size() == sweep.cells.size())
    throw Error(static_cast<Code>(answers[0].value("code", static_cast<int>(Code::usage))), *reasons.begin());
  fail(Code::usage, "{}: {} of {} cells name no valid run; change them, or leave them out with \"exclude\":\n{}",
       sweep.path.string(), failed.size(), sweep.cells.size(), join(lines, "\n"));
}

// Cells with the same runs become one; it keeps the axis values that all of them share.
void merge_equal_cells(Json& cells) {
  Json merged = Json::array();
  std::map<std::string, size_t> place;
  for (Json& cell : cells) {
    const auto [it, is_new] = place.emplace(cell["chains"].dump(), merged.size());
    if (is_new) {
      merged.push_back(std::move(cell));
      continue;
    }
    Json& first = merged[it->second];
    Json shared = Json::object();
    for (const auto& [key, value] : first["values"].items())
      if (cell["values"].contains(key) && canonical(cell["values"][key]) == canonical(value)) shared[key] = value;
    if (shared.empty()) continue;
    first["values"] = shared;
    first["cell"] = cell_name(shared);
  }
  cells = std::move(merged);
}

// What makes two plans the same: everything but where the file lay and which revision it is.
std::string substance(Json plan) {
  plan.erase("revision");
  plan.erase("file");
  return canonical(plan);
}

}  // namespace

Json recipe_layer(const fs::path& recipe) { return {{"name", recipe.string()}, {"config", read_json_file(recipe)}}; }

Json override_layer(const std::string& name, const Overrides& overrides) {
  Json config = Json::object();
  for (const auto& [key, value] : overrides) set_path(config, key, value);
  return {{"name", name}, {"config", std::move(config)}};
}

Json resolve_cells(const SweepFile& sweep, const PlanOptions& options, const Resolve& resolve) {
  check_seeds_are_free(sweep, options.overrides);
  const std::vector<Chain> chains = chains_of(sweep, sweep.seeds);
  std::vector<Json> requests;
  for (const Chain& chain : chains) requests.push_back(request_for(sweep, chain, options));
  const std::vector<Json> answers = resolve(requests);
  SIMMIM_CHECK(answers.size() == requests.size(), "{} answers to {} requests", answers.size(), requests.size());
  refuse_invalid_cells(sweep, chains, answers);

  Json runs = Json::object(), cells = Json::array(), warnings = Json::array();
  for (const Cell& cell : sweep.cells) {
    cells.push_back({{"cell", cell.name}, {"values", cell.values}, {"set", cell.set}, {"chains", Json::array()}});
    if (!cell.tuned.is_null()) cells.back()["tuned"] = cell.tuned;
  }
  for (size_t i = 0; i < chains.size(); ++i) {
    for (const Json& warning : answers[i].value("warnings", Json::array()))
      if (std::find(warnings.begin(), warnings.end(), warning) == warnings.end()) warnings.push_back(warning);
    Json members = Json::array();
    for (const Json& stage : answers[i].at("stages")) {
      const std::string id = stage.at("id"), kind = stage.at("kind");
      if (std::find(sweep.not_run.begin(), sweep.not_run.end(), kind) != sweep.not_run.end()) continue;
      members.push_back({{"stage", kind}, {"id", id}});
      if (!runs.contains(id)) runs[id] = stage;
    }
    Json chain = {{"seed", chains[i].seed}, {"runs", std::move(members)}};
    if (chains[i].finetune_seed) chain["finetune_seed"] = *chains[i].finetune_seed;
    cells[chains[i].cell]["chains"].push_back(std::move(chain));
  }
  return {{"cells", std::move(cells)}, {"runs", std::move(runs)}, {"warnings", std::move(warnings)}};
}

Json make_plan(const SweepFile& sweep, const PlanOptions& options, Json resolved) {
  Json& cells = resolved.at("cells");
  merge_equal_cells(cells);
  for (Json& cell : cells)  // shown like an axis, but no part of the cell's name
    if (cell.contains("tuned")) cell["values"].update(cell["tuned"].at("set"));
  Json plan = {{"name", sweep.name},
               {"revision", 0},
               {"file", sweep.path.string()},
               {"about", sweep.about},
               {"threads", options.threads},
               {"axes", sweep.axes},
               {"table", sweep.table},
               {"paper", sweep.paper},
               {"resources", sweep.resources},
               {"stages", sweep.stages},
               {"seeds", sweep.seeds},
               {"cells", std::move(cells)},
               {"runs", std::move(resolved.at("runs"))}};
  for (const auto& [key, value] : options.overrides) plan["overrides"][key] = value;  // for who repeats it
  if (!sweep.stop_if.is_null()) plan["stop_if"] = sweep.stop_if;
  return plan;
}

Json make_plan(const SweepFile& sweep, const PlanOptions& options, const Resolve& resolve) {
  return make_plan(sweep, options, resolve_cells(sweep, options, resolve));
}

FrozenPlan next_plan(Json plan, const fs::path& out) {
  const std::string name = plan.at("name");
  const auto file = [&](int64_t revision) { return sweeps_folder(out) / name / fmt::format("plan-{}.json", revision); };
  int64_t revision = 0;
  if (std::optional<Json> newest = read_plan(out, name)) {
    revision = newest->value("revision", int64_t{0});
    if (substance(*newest) == substance(plan)) return {file(revision), std::move(*newest), false};
  }
  plan["revision"] = revision + 1;
  return {file(revision + 1), std::move(plan), true};
}

FrozenPlan freeze_plan(Json plan, const fs::path& out) {
  const fs::path folder = sweeps_folder(out) / plan.at("name").get<std::string>();
  make_folder(folder);
  const FileLock lock = FileLock::wait_lock(folder / "lock");
  FrozenPlan frozen = next_plan(std::move(plan), out);
  if (frozen.is_new) write_file_atomically(frozen.file, frozen.plan.dump(1) + "\n");
  return frozen;
}

std::string parent_of(const Json& plan, const std::string& run) {
  const Json& entry = plan.at("runs").at(run);
  const auto it = entry.find("parent");
  if (it == entry.end() || !it->is_string()) return "";
  return plan["runs"].contains(it->get<std::string>()) ? it->get<std::string>() : "";
}

std::vector<std::string> runs_in_order(const Json& plan) {
  std::vector<std::string> order;
  std::set<std::string> placed;
  const std::function<void(const std::string&)> place = [&](const std::string& id) {
    if (!placed.insert(id).second) return;
    if (const std::string parent = parent_of(plan, id); !parent.empty()) place(parent);
    order.push_back(id);
  };
  // Seed by seed, so that the first complete row of a table comes early.
  for (const Json& seed : plan.at("seeds"))
    for (const Json& cell : plan.at("cells"))
      for (const Json& chain : cell.at("chains"))
        if (chain.at("seed") == seed)
          for (const Json& member : chain.at("runs")) place(member.at("id"));
  return order;
}

std::vector<std::string> longest_first(const Json& plan, std::vector<std::string> runs) {
  std::map<std::string, double> work;
  for (auto run = runs.rbegin(); run != runs.rend(); ++run) {  // children before their parents
    work[*run] += work_of(plan.at("runs").at(*run));
    if (const std::string parent = parent_of(plan, *run); !parent.empty()) work[parent] += work[*run];
  }
  std::stable_sort(runs.begin(), runs.end(), [&](const auto& a, const auto& b) { return work[a] > work[b]; });
  return runs;
}

std::string sweep_command(const Json& plan) {
  std::string command = "simmim sweep " + shell_quoted(plan.value("file", plan.value("name", "")));
  const Json overrides = plan.value("overrides", Json::object());
  for (const auto& [key, value] : overrides.items())
    command += " " + shell_quoted(key + "=" + (value.is_string() ? value.get<std::string>() : value.dump()));
  const Json seeds = plan.value("seeds", Json::array());
  bool counted = !seeds.empty();  // 0, 1, ..., n-1, as --seeds gives them
  for (size_t i = 0; i < seeds.size(); ++i) counted = counted && seeds[i] == Json(i);
  return command + (counted ? fmt::format(" --seeds {}", seeds.size()) : "");
}

std::string run_title(const Json& plan, const std::string& run) {
  std::string text;
  std::set<std::string> cells;
  for (const Json& cell : plan.at("cells"))
    for (const Json& chain : cell.at("chains"))
      for (const Json& member : chain.at("runs")) {
        if (member.at("id") != run) continue;
        if (text.empty())
          text = fmt::format("{} of {}, seed {}", member.at("stage").get<std::string>(),
                             cell.at("cell").get<std::string>(), chain.at("seed").dump());
        cells.insert(cell.at("cell"));
      }
  if (cells.size() > 1) text += fmt::format(" (and {} more)", cells.size() - 1);
  return text;
}

}  // namespace simmim
