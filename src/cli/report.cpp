#include "report/report.h"

#include "cli/commands.h"
#include "cli/output.h"
#include "cli/terminal.h"
#include "core/error.h"
#include "core/names.h"
#include "report/document.h"
#include "report/plot.h"
#include "report/table.h"
#include "runs/database.h"
#include "runs/ingest.h"
#include "runs/run_folder.h"
#include "runs/status.h"

namespace simmim {
namespace {

struct ReportOptions {
  std::string name, output, publish;
};

// What a text cites: the page, the table as people and programs read it, the picture, the runs behind them.
void publish(const Sqlite& database, const fs::path& out, const std::string& sweep, const std::string& page,
             const fs::path& folder) {
  make_folder(folder);
  write_file_atomically(folder / "report.html", page);
  const ComparisonTable table = make_table(database, sweep, {.out = out});
  write_file_atomically(folder / "table.md", render_table(table, "markdown"));
  write_file_atomically(folder / "table.csv", render_table(table, "csv"));
  const Plot plot = make_plot(database, out, {sweep}, {});
  for (const char* format : {"svg", "png"})
    write_file_atomically(folder / (std::string("plot.") + format), render_plot(plot, format));
  Statement members = database.prepare(
      "SELECT cell, seed, stage, run FROM sweep_cells WHERE sweep = ? ORDER BY position, seed, stage DESC");
  members.bind(1, sweep);
  write_file_atomically(folder / "runs.md", render_frame(read_frame(members), "markdown"));
}

int run_report(const ReportOptions& options, const CommonOptions& common) {
  if (options.name.empty()) fail(Code::usage, "report: name a sweep{}", sweeps_hint("", sweep_names(common.out)));
  if (fs::is_directory(common.out))
    if (const std::string trouble = ingest_changes(common.database(), common.out); !trouble.empty()) warn(trouble);
  const Sqlite database = open_for_reading(common.database(), common.out);
  const std::string sweep = sweep_run_here(database, options.name);
  const std::string page = sweep_report(database, common.out, sweep);
  const fs::path file =
      options.output.empty() ? sweeps_folder(common.out) / sweep / "report.html" : fs::path(options.output);
  write_file_atomically(file, page);
  if (!options.publish.empty()) publish(database, common.out, sweep, page, options.publish);
  if (common.json)
    fmt::print("{}\n", Json({{"report", file.string()}, {"published", options.publish}}).dump());
  else
    fmt::print("{}\n", file.string());
  std::fflush(stdout);
  hint(common, options.publish.empty() ? fmt::format("simmim report {} --publish FOLDER", shell_quoted(sweep))
                                       : "git add " + shell_quoted(options.publish));
  return 0;
}

}  // namespace

Command report_command() {
  return {"report", "Look", "one HTML page of a sweep: tables, pictures, reconstructions, commands", [](Args& args) {
            auto options = std::make_shared<ReportOptions>();
            args.example("simmim report demo -o demo.html");
            args.example("simmim report demo --publish results/published/demo");
            args.positional("SWEEP", options->name, "the sweep");
            args.option("--publish", "DIR", options->publish,
                        "also a folder to commit: page, table (.md, .csv), picture (.svg, .png), run ids (.md)");
            args.option("-o,--output", "FILE", options->output, "the page (default OUT/sweeps/SWEEP/report.html)");
            return [options, common = args.shared_common()] { return run_report(*options, *common); };
          }};
}

}  // namespace simmim
