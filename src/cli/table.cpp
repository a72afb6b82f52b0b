#include "report/table.h"

#include <map>

#include "cli/commands.h"
#include "cli/output.h"
#include "cli/terminal.h"
#include "core/error.h"
#include "core/names.h"
#include "report/document.h"
#include "report/paper_table.h"
#include "report/table.h"
#include "runs/database.h"
#include "runs/ingest.h"
#include "runs/run_folder.h"
#include "runs/status.h"

namespace simmim {
namespace {

struct TableCommandOptions {
  std::string name, rows, columns, groups, value, where, split, show, baseline, format, output;
};

std::vector<std::string> listed(const std::string& text) {
  return text.empty() ? std::vector<std::string>{} : split(text, ',');
}

// A sweep that other processes are at work on: take in what they have, where the database can be written.
Sqlite open_fresh(const CommonOptions& common) {
  if (fs::is_directory(common.out))
    if (const std::string trouble = ingest_changes(common.database(), common.out); !trouble.empty()) warn(trouble);
  return open_for_reading(common.database(), common.out);
}

int run_table(const TableCommandOptions& options, const CommonOptions& common) {
  static const std::vector<std::string> formats = {"text", "markdown", "latex", "csv", "json", "html"};
  if (options.name.empty()) fail(Code::usage, "table: name a sweep{}", sweeps_hint("", sweep_names(common.out)));
  const auto end_with = [&](const std::string& file, const std::string& next) {
    if (!file.empty()) say(common.quiet, "written to " + file);
    hint(common, next);
  };
  const std::string format = output_format(options.format, options.output, common, formats);
  if (options.name.starts_with("paper/")) {
    for (const auto& [name, given] : std::map<std::string, std::string>{{"--rows", options.rows},
                                                                        {"--columns", options.columns},
                                                                        {"--groups", options.groups},
                                                                        {"--value", options.value},
                                                                        {"--where", options.where},
                                                                        {"--split", options.split},
                                                                        {"--show", options.show},
                                                                        {"--baseline", options.baseline}})
      if (!given.empty())
        fail(Code::usage, "{} {}: a table of the paper has a fixed form; {} is for the table of a sweep", name, given,
             name);
    const PaperComparison comparison = compare_with_paper(open_fresh(common), options.name);
    write_output(options.output, render_paper(comparison, format));
    std::fflush(stdout);
    end_with(options.output, fmt::format("simmim sweep {} --dry-run", options.name));
    return 0;
  }
  TableOptions table{.rows = options.rows,
                     .columns = options.columns,
                     .groups = listed(options.groups),
                     .values = listed(options.value),
                     .where = options.where,
                     .split = options.split,
                     .show = listed(options.show),
                     .out = common.out};
  if (!options.baseline.empty())
    table.baseline = Json::accept(options.baseline) ? Json::parse(options.baseline) : Json(options.baseline);
  const Sqlite database = open_fresh(common);
  const std::string sweep = sweep_run_here(database, options.name);
  write_output(options.output, render_table(make_table(database, sweep, table), format));
  std::fflush(stdout);
  end_with(options.output, fmt::format("simmim plot {} -o plot.png", sweep));
  return 0;
}

}  // namespace

Command table_command() {
  return {
      "table", "Look", "the comparison table of a sweep: mean, std, difference, interval", [](Args& args) {
        auto options = std::make_shared<TableCommandOptions>();
        args.example("simmim table demo");
        args.example("simmim table demo --rows mask.patch --columns mask.ratio --show n,gpu_hours -o table.md");
        args.positional("SWEEP", options->name, "a sweep, or a table of the paper (simmim list tables)");
        args.option("--rows", "KEY", options->rows, "an axis, or any key, one row a value");
        args.option("--columns", "KEY", options->columns, "one column a value");
        args.option("--groups", "KEY,KEY", options->groups, "one block a value (axes left over are added)");
        args.option("--value", "M,M", options->value, "what stands in the cells, for example finetune.val.top1");
        args.option("--where", "EXPR", options->where, "only these cells");
        args.option("--split", "SPLIT", options->split, "whose accuracy", {"val", "test"});
        args.option("--show", "A,B", options->show, "more columns: n, gpu_hours, paper, ...");
        args.option("--baseline", "CELL", options->baseline, "the cell that the others are compared with");
        args.option("--format", "FORMAT", options->format, "how", {"text", "markdown", "latex", "csv", "json", "html"});
        args.option("-o,--output", "FILE", options->output, "a file instead of standard output");
        return [options, common = args.shared_common()] { return run_table(*options, *common); };
      }};
}

}  // namespace simmim
