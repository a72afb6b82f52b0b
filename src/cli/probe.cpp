#include "cli/commands.h"
#include "cli/stage_command.h"

namespace simmim {

Command probe_command() {
  return stage_command({.stage = "probe",
                        .help = "linear probe or k-NN on frozen features",
                        .example = "simmim probe --from latest probe.name=knn",
                        .needs_from = true,
                        .next = "simmim show {}"});
}

}  // namespace simmim
