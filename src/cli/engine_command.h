// What the commands share that hand one request to the engine and print its answer.
#pragma once
#include <functional>
#include <string>

#include "cli/args.h"
#include "core/json.h"

namespace simmim {

struct EngineCommand {
  std::string title;  // before the live line
  Json request;
  std::string next = {};                                  // the next useful command, if any
  std::function<Json(const Json& answer)> readable = {};  // what is printed without --json, if not the answer itself
};
int run_engine_command(const EngineCommand& command, const CommonOptions& common);

}  // namespace simmim
