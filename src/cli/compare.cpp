#include "cli/commands.h"
#include "cli/output.h"
#include "cli/terminal.h"
#include "core/error.h"
#include "core/names.h"
#include "report/document.h"
#include "runs/database.h"
#include "runs/query.h"

namespace simmim {

Command compare_command() {
  return {"compare", "Look", "what differs between runs or cells, and what came of it", [](Args& args) {
            struct Options {
              std::vector<std::string> names;
              std::string format;
            };
            auto options = std::make_shared<Options>();
            args.example("simmim compare demo:mask.patch=4 demo:mask.patch=8");
            args.positional("RUN|SWEEP:cell", options->names, "two or more");
            args.option("--format", "FORMAT", options->format, "how", frame_formats());
            return [options, common = args.shared_common()] {
              if (options->names.size() < 2) fail(Code::usage, "compare: give two or more runs or cells");
              const Frame frame =
                  compare_runs(open_for_reading(common->database(), common->out), common->out, options->names);
              write_output("", render_frame(frame, output_format(options->format, "", *common, frame_formats())));
              std::fflush(stdout);
              std::vector<std::string> names;
              for (const std::string& name : options->names) names.push_back(shell_quoted(name));
              hint(*common, "simmim plot " + join(names, " ") + " -o curves.png");
              return 0;
            };
          }};
}

}  // namespace simmim
