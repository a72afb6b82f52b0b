#include "cli/commands.h"
#include "cli/stage_command.h"

namespace simmim {

Command finetune_command() {
  return stage_command({.stage = "finetune",
                        .help = "fine-tune all weights of a run or checkpoint, or train from scratch",
                        .example = "simmim finetune --from latest finetune.limit_labels=1000",
                        .needs_from = true,
                        .next = "simmim eval --from {}"});
}

}  // namespace simmim
