// What pretrain, finetune and probe share: resolve one stage, show or run it, say what came of it.
#pragma once
#include "cli/command.h"

namespace simmim {

struct StageCommand {
  std::string stage;  // "pretrain", also the name of the command
  std::string help, example;
  bool needs_from = false;
  std::string next;  // the next useful command; {} stands for the run
};
Command stage_command(const StageCommand& stage);

}  // namespace simmim
