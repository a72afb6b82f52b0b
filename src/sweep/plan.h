// The plan of a sweep: every cell and seed as a chain of stages, runs of equal id standing once. It is frozen in
// results/sweeps/NAME/plan-R.json, from which workers start; a change makes the next revision.
//
//   {"name","revision","file","about","threads","axes":[names],"table":{},"paper":"","stages":[..],"seeds":[..],"stop_if":{},
//    "cells":[{"cell":"mask.patch=4 mask.ratio=0.6","values":{"mask.patch":4,..},"set":{..},
//              "chains":[{"seed":0,"runs":[{"stage":"pretrain","id":".."},{"stage":"finetune","id":".."}]}],
//              "tuned":see apply_tuning, where the sweep tunes}],
//    "runs":{ID: one entry of "stages" in the engine's answer to "resolve"}}
#pragma once
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "sweep/grid.h"

namespace simmim {

using Overrides = std::vector<std::pair<std::string, Json>>;  // dotted leaf -> value

// One engine call for all cells: requests {"layers":[{"name","config"}...],"stages":[...]} -> for each either
// {"stages":[{"kind","id","parent","config","plan",...}],"warnings":[..]} or {"error": "one sentence"}.
using Resolve = std::function<std::vector<Json>(const std::vector<Json>& requests)>;

struct PlanOptions {
  Overrides overrides;  // of the command line, above everything else
  int threads = 1;      // a run
};

// Layers of a configuration, lowest first, as "resolve" takes them: the recipe (may be empty), then dotted overrides.
Json recipe_layer(const fs::path& recipe);
Json override_layer(const std::string& name, const Overrides& overrides);

// Resolves every cell and seed: "cells", one for each of the sweep's, "runs" as in a plan, "warnings". Code::usage
// listing every cell that names no valid run.
Json resolve_cells(const SweepFile& sweep, const PlanOptions& options, const Resolve& resolve);

// The plan of resolved cells. Those whose runs are all the same become one, which shows the axis values they agree on
// ("scratch" of a grid over masks).
Json make_plan(const SweepFile& sweep, const PlanOptions& options, Json resolved);
Json make_plan(const SweepFile& sweep, const PlanOptions& options, const Resolve& resolve);

struct FrozenPlan {
  fs::path file;
  Json plan;            // with "revision"
  bool is_new = false;  // a revision that was not there before
};
// Writes the plan, or returns the newest one if nothing changed. next_plan says what it would do and writes nothing.
FrozenPlan freeze_plan(Json plan, const fs::path& out);
FrozenPlan next_plan(Json plan, const fs::path& out);

// Run ids in an order in which parents come first.
std::vector<std::string> runs_in_order(const Json& plan);
std::string parent_of(const Json& plan, const std::string& run);  // "" if none in this plan

// The same runs, those first on which most work hangs, their own and that of the runs that start from them: shared
// pre-trainings early, then the longest, so that no long one is left for the end. runs: parents first, as is the
// answer.
std::vector<std::string> longest_first(const Json& plan, std::vector<std::string> runs);

// What goes on with the sweep of a plan: "simmim sweep FILE key=value...".
std::string sweep_command(const Json& plan);

// "fine-tuning of mask.patch=4 mask.ratio=0.6, seed 1", and "(and 3 more)" where a run is shared: what a person calls
// it.
std::string run_title(const Json& plan, const std::string& run);

}  // namespace simmim
