// What the commands share that hand one request to the engine and print its answer.
#pragma once
#include <string>

#include "cli/args.h"
#include "core/json.h"

namespace simmim {

struct EngineCommand {
  std::string title;      // before the live line
  Json request;
  std::string next = {};  // the next useful command, if any
};
int run_engine_command(const EngineCommand& command, const CommonOptions& common);

}  // namespace simmim
