// From the words of a command line to the layers that the engine's "resolve" takes.
#pragma once
#include <string>
#include <vector>

#include "cli/args.h"
#include "sweep/plan.h"

namespace simmim {

Overrides read_overrides(const std::vector<std::string>& words);  // key.path=value each; Code::usage for another form

// [RECIPE] [key=value...] -> layers, lowest first. Code::usage for a second word that is no override.
Json config_layers(const std::string& command, const ConfigWords& words);

// {"command": ..., "layers", "out", "db"} for a command that reads a configuration.
Json config_request(const std::string& engine_command, const Json& layers, const CommonOptions& common);

}  // namespace simmim
