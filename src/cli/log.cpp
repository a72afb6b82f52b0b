#include "cli/commands.h"
#include "cli/output.h"
#include "cli/terminal.h"
#include "core/error.h"
#include "runs/query.h"
#include "runs/run_folder.h"

namespace simmim {

Command log_command() {
  return {"log", "Look", "the log of a run; --why: what went wrong", [](Args& args) {
            struct Options {
              std::string run;
              bool why = false;
            };
            auto options = std::make_shared<Options>();
            args.example("simmim log latest --why");
            args.positional("RUN", options->run, "an id, a unique prefix of it, latest, or SWEEP:cell");
            args.flag("--why", options->why, "the error, the first tensor that went bad, the end of the log");
            return [options, common = args.shared_common()] {
              if (options->run.empty())
                fail(Code::usage, "log: which run? give an id, latest or SWEEP:cell; see simmim runs");
              const std::string id = resolve_run(common->out, options->run);
              const std::string text = options->why ? run_why(common->out, id) : run_log(common->out, id);
              write_output(
                  "", common->json ? Json({{"run", id}, {options->why ? "why" : "log", text}}).dump() + "\n" : text);
              if (!common->json && !text.empty() && text.back() != '\n') write_output("", "\n");
              std::fflush(stdout);
              hint(*common, options->why ? "simmim show " + id : "simmim log " + id + " --why");
              return 0;
            };
          }};
}

}  // namespace simmim
