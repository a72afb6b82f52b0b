#include "sweep/tune.h"

#include <algorithm>

#include "core/error.h"
#include "core/names.h"
#include "runs/run_folder.h"
#include "sweep/blocks.h"
#include "sweep/run_state.h"

namespace simmim {
namespace {

std::string by_text(const Tuning& tuning) { return tuning.stage + "." + tuning.metric; }

double metric_of(const fs::path& out, const std::string& run, const Tuning& tuning) {
  std::string key = tuning.metric;
  std::replace(key.begin(), key.end(), '.', '_');
  const Json summary = read_record(run_path(out, run)).value("summary", Json::object());
  if (const auto it = summary.find(key); it != summary.end() && it->is_number()) return it->get<double>();
  fail(Code::run_failed, "sweep.tune.by: run {} has no {}; is there a validation split, and is it looked at?", run,
       by_text(tuning));
}

// One value as a cell tried it. "value" is null if a run failed; nullopt: a run is still to do.
std::optional<Json> candidate_of(const Json& cell, const Json& point, const Tuning& tuning, const fs::path& out) {
  std::vector<std::string> measured;
  bool ended_badly = false, complete = true;
  for (const Json& chain : cell.at("chains"))
    for (const Json& member : chain.at("runs")) {
      const std::string run = member.at("id");
      const RunState state = state_before(out, run);
      ended_badly = ended_badly || state == RunState::failed || state == RunState::stopped;
      complete = complete && state == RunState::done;
      if (member.at("stage") == tuning.stage) measured.push_back(run);
    }
  Json candidate = {{"set", point}, {"value", nullptr}, {"runs", measured}};
  if (ended_badly) return candidate;
  if (!complete) return std::nullopt;
  double sum = 0;
  for (const std::string& run : measured) sum += metric_of(out, run, tuning);
  candidate["value"] = sum / static_cast<double>(measured.size());
  return candidate;
}

void check_tuned_key(const std::string& key, const Tuning& tuning, const SweepFile& sweep) {
  for (const Cell& cell : sweep.cells)
    if (cell.set.contains(key))
      fail(Code::usage, "sweep.tune.{}: cell '{}' sets it already; tune it, or set it, not both", key, cell.name);
  const bool other_loss = key.starts_with("mask.") || key.starts_with("target.") || key.starts_with("loss.") ||
                          key.starts_with("data.") || key.find(".data.") != std::string::npos;
  if (tuning.metric == "val.loss" && other_loss)
    fail(Code::usage, "sweep.tune.by: losses of different {} are not comparable; choose by finetune.val.top1", key);
}

}  // namespace

Tuning read_tuning(Json tune, const SweepFile& sweep) {
  const auto take = [&](const char* key, const Json& otherwise) {
    const Json value = object_at(tune, "sweep.tune").value(key, otherwise);
    tune.erase(key);
    return value;
  };
  const std::string last = sweep.stages.back();
  const Json by = take("by", last + (last == "pretrain" ? ".val.loss" : ".val.top1"));
  std::vector<std::string> known;
  for (const std::string& stage : sweep.stages)
    for (const char* metric : {".val.top1", ".val.loss"})
      if ((stage != "pretrain" || metric == std::string(".val.loss")) && (stage != "probe" || metric[5] == 't'))
        known.push_back(stage + metric);
  if (!by.is_string() || std::find(known.begin(), known.end(), by.get<std::string>()) == known.end())
    fail(Code::usage, "sweep.tune.by: got {}; allowed: {}", by.dump(), one_of(known));
  const std::string text = by;
  const size_t dot = text.find('.');
  Tuning tuning{.keys = {}, .points = {}, .stage = text.substr(0, dot), .metric = text.substr(dot + 1), .seeds = {}};
  tuning.seeds = read_seeds(take("seeds", Json::array({100})), "sweep.tune.seeds");
  if (tuning.seeds.empty()) fail(Code::usage, "sweep.tune.seeds: no seed; give at least one");
  const Block block = grid_block(dotted(tune, "sweep.tune"), "sweep.tune");
  if (block.axes.empty()) fail(Code::usage, "sweep.tune: names no values; give a leaf with a list, or leave it out");
  tuning.keys = block.axes;
  for (const Point& point : block.points) tuning.points.push_back(point.set);
  for (const std::string& key : tuning.keys) check_tuned_key(key, tuning, sweep);
  return tuning;
}

SweepFile tuning_sweep(const SweepFile& sweep, const PlanOptions& options) {
  const Tuning& tuning = *sweep.tuning;
  for (const auto& [key, value] : options.overrides)
    if (std::find(tuning.keys.begin(), tuning.keys.end(), key) != tuning.keys.end())
      fail(Code::usage, "{}: this sweep tunes it; leave it out here, or leave \"tune\" out of {}", key,
           sweep.path.string());
  for (const int64_t seed : tuning.seeds)
    if (std::find(sweep.seeds.begin(), sweep.seeds.end(), seed) != sweep.seeds.end())
      fail(Code::usage, "sweep.tune.seeds: {} is a seed of the table too; tune on others", seed);
  SweepFile trial = sweep;
  trial.name += kTuningSuffix;
  trial.about = fmt::format("{} for each cell of {}, by {}", join(tuning.keys, ", "), sweep.name, by_text(tuning));
  trial.paper.clear();
  trial.tuning.reset();
  trial.seeds = tuning.seeds;
  trial.finetune_seeds.clear();
  trial.table = {{"rows", tuning.keys[0]}, {"value", by_text(tuning)}};
  for (const std::string& stage : trial.stages)
    if (stage != "pretrain" && stage != tuning.stage) trial.not_run.push_back(stage);
  trial.axes.insert(trial.axes.end(), tuning.keys.begin(), tuning.keys.end());
  trial.cells.clear();
  for (const Cell& cell : sweep.cells)
    for (const Json& point : tuning.points) {
      Cell& tried = trial.cells.emplace_back(cell);
      tried.values.update(point);
      tried.set.update(point);
      tried.name = cell_name(tried.values);
    }
  return trial;
}

Untuned apply_tuning(SweepFile& sweep, const Json& tried, const fs::path& out) {
  const Tuning& tuning = *sweep.tuning;
  const double sign = tuning.metric == "val.loss" ? -1 : 1;
  Untuned untuned;
  std::vector<Cell> cells;
  for (size_t i = 0; i < sweep.cells.size(); ++i) {
    Cell& cell = sweep.cells[i];
    Json candidates = Json::array();
    const Json* best = nullptr;
    bool same = true, complete = true;
    for (size_t p = 0; p < tuning.points.size(); ++p) {
      const Json& trial = tried.at("cells").at(i * tuning.points.size() + p);
      same = same && trial.at("chains") == tried.at("cells").at(i * tuning.points.size()).at("chains");
      if (const auto candidate = candidate_of(trial, tuning.points[p], tuning, out))
        candidates.push_back(*candidate);
      else
        complete = false;
    }
    for (const Json& candidate : candidates)
      if (!candidate["value"].is_null() &&
          (best == nullptr || sign * candidate["value"].get<double>() > sign * (*best)["value"].get<double>()))
        best = &candidate;
    if (same) {
      cells.push_back(std::move(cell));
    } else if (!complete) {
      untuned.untried.push_back(cell.name);
    } else if (best == nullptr) {
      untuned.failed.push_back(cell.name);
    } else {
      cell.set.update((*best)["set"]);
      cell.tuned = {{"by", by_text(tuning)}, {"set", (*best)["set"]}, {"candidates", candidates}};
      cells.push_back(std::move(cell));
    }
  }
  sweep.cells = std::move(cells);
  return untuned;
}

void assume_first_value(SweepFile& sweep) {
  for (Cell& cell : sweep.cells) cell.set.update(sweep.tuning->points[0]);
}

}  // namespace simmim
