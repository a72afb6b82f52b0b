#include "report/plot.h"

#include "cli/commands.h"
#include "cli/output.h"
#include "cli/terminal.h"
#include "core/error.h"
#include "core/recipes.h"
#include "report/document.h"
#include "runs/database.h"
#include "runs/ingest.h"
#include "runs/status.h"

namespace simmim {
namespace {

struct PlotCommandOptions {
  std::vector<std::string> names;
  std::string x, y, by, format, output;
};

int run_plot(const PlotCommandOptions& options, const CommonOptions& common) {
  static const std::vector<std::string> formats = {"png", "svg", "pdf", "csv"};
  if (options.names.empty()) fail(Code::usage, "plot: give a sweep or runs; see simmim list tables and simmim runs");
  const std::string format =
      choose_format(options.format, options.output, formats, options.output.empty() ? "csv" : "png");
  if (fs::is_directory(common.out))
    if (const std::string trouble = ingest_changes(common.database(), common.out); !trouble.empty()) warn(trouble);
  const Sqlite database = open_for_reading(common.database(), common.out);
  std::vector<std::string> names = options.names;
  if (names.size() == 1 && sweep_file(names[0])) names[0] = sweep_run_here(database, names[0]);
  const Plot plot = make_plot(database, common.out, names, {.x = options.x, .y = options.y, .by = options.by});
  write_output(options.output, render_plot(plot, format));
  std::fflush(stdout);
  if (!options.output.empty()) say(common.quiet, "written to " + options.output);
  hint(common, options.output.empty() ? fmt::format("simmim plot {} -o plot.png", shell_quoted(names[0]))
                                      : "simmim list tables");
  return 0;
}

}  // namespace

Command plot_command() {
  return {"plot", "Look", "curves of runs, a sweep's values against an axis, heat maps", [](Args& args) {
            auto options = std::make_shared<PlotCommandOptions>();
            args.example("simmim plot demo -o plot.png");
            args.example("simmim plot latest --y loss --x step -o curve.svg");
            args.positional("SWEEP|RUN", options->names, "one sweep, or runs");
            args.option("--x", "KEY", options->x, "step, epoch, images, gpu_hours, or an axis");
            args.option("--y", "METRIC", options->y, "a curve (loss, val.top1), or a value as in tables");
            args.option("--by", "KEY", options->by, "one line a value of this key");
            args.option("--format", "FORMAT", options->format, "how (default: by the suffix; csv on standard output)",
                        {"png", "svg", "pdf", "csv"});
            args.option("-o,--output", "FILE", options->output, "the picture");
            return [options, common = args.shared_common()] { return run_plot(*options, *common); };
          }};
}

}  // namespace simmim
