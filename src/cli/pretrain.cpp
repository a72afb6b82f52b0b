#include "cli/commands.h"
#include "cli/stage_command.h"

namespace simmim {

Command pretrain_command() {
  return stage_command({.stage = "pretrain",
                        .help = "one pre-training run; the same command again continues it, or reuses it when done",
                        .example = "simmim pretrain mask.ratio=0.5 pretrain.epochs=20",
                        .next = "simmim finetune --from {}"});
}

}  // namespace simmim
