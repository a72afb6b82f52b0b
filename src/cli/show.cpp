#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/document.h"
#include "cli/terminal.h"
#include "core/error.h"
#include "runs/database.h"
#include "runs/ingest.h"
#include "runs/query.h"
#include "runs/run_folder.h"

namespace simmim {

Command show_command() {
  return {"show", "Look", "everything known of a run", [](Args& args) {
            auto run = std::make_shared<std::string>();
            args.example("simmim show latest");
            args.positional("RUN", *run, "an id, a unique prefix of it, latest, or SWEEP:cell");
            return [run, common = args.shared_common()] {
              if (run->empty()) fail(Code::usage, "show: which run? give an id, latest or SWEEP:cell; see simmim runs");
              const std::string id = resolve_run(common->out, *run);
              if (const std::string trouble = ingest_run(common->database(), run_path(common->out, id));
                  !trouble.empty())
                warn(trouble);
              const Json facts = describe_run(open_for_reading(common->database(), common->out), common->out, id);
              print_document(facts, common->json);
              std::fflush(stdout);
              const std::string kind = facts.contains("run") ? facts["run"].value("kind", "") : "";
              hint(*common, kind == "pretrain" ? "simmim finetune --from " + id : "simmim log " + id);
              return 0;
            };
          }};
}

}  // namespace simmim
