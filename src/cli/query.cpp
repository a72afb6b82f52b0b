#include "runs/query.h"

#include "cli/commands.h"
#include "cli/output.h"
#include "cli/terminal.h"
#include "core/error.h"
#include "report/document.h"
#include "runs/database.h"

namespace simmim {

Command query_command() {
  return {
      "query", "Look", "read-only SQL over the views results, members, cells, curves", [](Args& args) {
        struct Options {
          std::string sql, format, output;
        };
        auto options = std::make_shared<Options>();
        args.example("simmim query \"SELECT run, val_top1 FROM results WHERE state = 'done' ORDER BY 2 DESC\"");
        args.example("simmim query \"SELECT config->>'$.finetune.lr' AS lr, avg(val_top1) FROM results GROUP BY 1\"");
        args.positional("SELECT", options->sql, "one SELECT");
        args.option("--format", "FORMAT", options->format, "how", frame_formats());
        args.option("-o,--output", "FILE", options->output, "a file instead of standard output");
        return [options, common = args.shared_common()] {
          if (options->sql.empty())
            fail(Code::usage, "query: give one SELECT; the views are results, members, cells and curves");
          const std::string format = output_format(options->format, options->output, *common, frame_formats());
          const Frame frame = query(open_for_reading(common->database(), common->out), options->sql);
          write_output(options->output, render_frame(frame, format));
          return 0;
        };
      }};
}

}  // namespace simmim
