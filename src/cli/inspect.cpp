#include "cli/commands.h"
#include "cli/engine_command.h"
#include "core/error.h"

namespace simmim {

Command inspect_command() {
  return {"inspect", "Use", "tensors and facts of a checkpoint (safetensors, official .pth)", [](Args& args) {
            auto file = std::make_shared<std::string>();
            args.example("simmim inspect simmim_pretrain__vit_base.pth");
            args.positional("FILE", *file, "the checkpoint, or a run");
            return [file, common = args.shared_common()] {
              if (file->empty()) fail(Code::usage, "inspect: give a checkpoint file or a run");
              return run_engine_command(
                  {.title = "inspect", .request = {{"command", "inspect"}, {"file", *file}, {"out", common->out}}},
                  *common);
            };
          }};
}

}  // namespace simmim
