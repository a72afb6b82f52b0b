// What to type to go on with a run that was interrupted or lost.
#pragma once
#include <string>
#include <vector>

#include "core/files.h"

namespace simmim {

// Of the first of `sweeps` that has a plan, else the run's own stage with every leaf that it was given.
std::string go_on_command(const fs::path& out, const std::string& run, const std::vector<std::string>& sweeps);

}  // namespace simmim
