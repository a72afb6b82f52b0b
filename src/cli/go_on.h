// What to type to go on with a run that was interrupted or lost, or with a sweep.
#pragma once
#include <string>
#include <vector>

#include "core/files.h"
#include "core/json.h"

namespace simmim {

std::string go_on_with_sweep(const fs::path& out, const Json& plan);  // where it was started: here or on Slurm

// Of the first of `sweeps` that has a plan, else the run's own stage with every leaf that it was given.
std::string go_on_command(const fs::path& out, const std::string& run, const std::vector<std::string>& sweeps);

}  // namespace simmim
