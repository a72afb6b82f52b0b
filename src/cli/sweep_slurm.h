// The executor "slurm" of the sweep command: submits what is missing and returns; `status` shows how it goes on.
#pragma once
#include <string>
#include <vector>

#include "cli/args.h"
#include "sweep/plan.h"
#include "sweep/slurm.h"

namespace simmim {

struct SlurmSweep {
  const FrozenPlan& frozen;              // with dry_run its file need not be there yet
  const std::vector<std::string>& runs;  // parents first
  SlurmResources resources;
  int64_t at_once = 0;  // elements of an array at a time; 0: as many as there is room for
  bool retry_failed = false, dry_run = false;
};

// Returns the exit code.
int sweep_on_slurm(const SlurmSweep& sweep, const CommonOptions& common);

}  // namespace simmim
