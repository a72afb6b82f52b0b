#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/document.h"
#include "cli/go_on.h"
#include "cli/terminal.h"
#include "core/error.h"
#include "runs/database.h"
#include "runs/ingest.h"
#include "runs/query.h"
#include "runs/run_folder.h"

namespace simmim {
namespace {

std::string next_command(const Json& facts, const std::string& id, const fs::path& out) {
  const std::string kind = facts["run"].value("kind", ""), state = facts["run"].value("state", "");
  if (state == "lost" || state == "interrupted" || state == "waiting") {
    std::vector<std::string> sweeps;
    for (const Json& member : facts["sweeps"]) sweeps.push_back(member.at("sweep"));
    return go_on_command(out, id, sweeps);
  }
  if (state == "failed" || state == "stopped") return "simmim log " + id + " --why";
  return state == "done" && kind == "pretrain" ? "simmim finetune --from " + id : "simmim log " + id;
}

}  // namespace

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
              hint(*common, next_command(facts, id, common->out));
              return 0;
            };
          }};
}

}  // namespace simmim
