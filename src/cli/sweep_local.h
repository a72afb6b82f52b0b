// A sweep on this machine, for the sweep command: runs what is missing of a plan and says how it ended.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "cli/args.h"
#include "cli/shares.h"
#include "sweep/local.h"
#include "sweep/plan.h"

namespace simmim {

struct LocalSweep {
  const FrozenPlan& frozen;
  const std::vector<std::string>& runs;  // selected, parents first
  Shares shares;
  double deadline = kNever;  // of steady_seconds
  int64_t hung_after = 60;   // minutes; 0: never
  bool retry_failed = false, longest_first = false;
  std::optional<int64_t> max_failures = {};
};

SweepOutcome sweep_here(const LocalSweep& sweep, const CommonOptions& common);

// Prints what came of it and what to do next; returns the exit code.
int report_outcome(const Json& plan, const SweepOutcome& outcome, const CommonOptions& common);

// Of --hours, else of the file's resources; kNever if neither says. Code::usage for what is no number above 0.
double deadline_of(const std::string& hours, const SweepFile& sweep);

}  // namespace simmim
