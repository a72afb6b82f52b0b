// What a sweep would do, in words or JSON: cells, runs, steps, FLOPs, time, disk and memory.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "cli/args.h"
#include "cli/shares.h"
#include "core/json.h"
#include "sweep/run_state.h"

namespace simmim {

struct DryRun {
  Json plan;
  std::vector<std::string> runs;  // selected
  Json cases = Json::object();    // see SweepFile
  bool retry_failed = false;
  bool assumed = false;  // values that a tuning is yet to choose stand for others: no ids to show
};

// The sweep, and before it the tuning that it starts with.
void print_dry_run(const DryRun& sweep, const std::optional<DryRun>& tuning, const Shares& shares,
                   const CommonOptions& common);

std::string counted(size_t count, const std::string& noun);  // "1 run", "3 runs"

// "5 runs to do (2 pretrain, 3 finetune), 1 done already and reused"
std::string runs_text(const Json& plan, const PlanState& state);

}  // namespace simmim
