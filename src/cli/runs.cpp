#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/output.h"
#include "cli/terminal.h"
#include "cli/watch.h"
#include "core/names.h"
#include "report/document.h"
#include "runs/database.h"
#include "runs/ingest.h"
#include "runs/query.h"

namespace simmim {
namespace {

Look look_at(const RunListOptions& list, const std::string& format, const CommonOptions& common) {
  if (const std::string trouble = ingest_changes(common.database(), common.out); !trouble.empty()) warn(trouble);
  const Sqlite database = open_for_reading(common.database(), common.out);
  Look look{.text = render_frame(list_runs(database, list), format)};
  for (const auto& row : list_runs(database, {.where = list.where, .columns = {"state"}}).rows) {
    const std::string state = text_of(row[0]);
    look.running |= state == "running";
    look.waiting |= state == "waiting" || state == "interrupted" || state == "lost";
  }
  return look;
}

}  // namespace

Command runs_command() {
  return {"runs", "Look", "a list of runs", [](Args& args) {
            struct Options {
              std::string where, sort, columns, format;
              std::optional<int64_t> limit;
              bool ids = false, watch = false;
            };
            auto options = std::make_shared<Options>();
            args.example("simmim runs 'mask.ratio=0.6 top1>80 state=done' --sort -top1");
            args.positional("EXPR", options->where, "conditions on any key, all of which must hold");
            args.option("--sort", "KEY", options->sort, "by this key; -KEY: largest first (default: newest first)");
            args.option("--columns", "A,B", options->columns,
                        "these keys instead of the usual ones; also 'max top1', 'last loss', top1@epoch=50");
            args.option("--limit", "N", options->limit, "at most so many");
            args.option("--format", "FORMAT", options->format, "how", frame_formats());
            args.flag("--ids", options->ids, "the ids alone, one a line");
            args.flag("--watch", options->watch, "look again every second until nothing runs");
            return [options, common = args.shared_common()] {
              RunListOptions list{.where = options->where, .limit = options->limit.value_or(-1)};
              if (!options->sort.empty()) list.sort = options->sort;
              if (!options->columns.empty()) list.columns = split(options->columns, ',');
              if (options->ids) list.columns = {"run"};
              const std::string format = output_format(options->format, "", *common, frame_formats());
              if (options->watch) {
                watch([&] { return look_at(list, format, *common); });
                return 0;
              }
              const Sqlite database = open_for_reading(common->database(), common->out);
              const Frame frame = list_runs(database, list);
              if (options->ids) {
                for (const auto& row : frame.rows) fmt::print("{}\n", text_of(row[0]));
                return 0;
              }
              write_output("", render_frame(frame, format));
              std::fflush(stdout);
              const bool none_fits = frame.rows.empty() && !list.where.empty();
              if (none_fits) say(common->quiet, why_none(database, list.where));
              hint(*common, none_fits            ? "simmim runs"
                            : frame.rows.empty() ? "simmim pretrain --dry-run"
                                                 : "simmim show " + text_of(frame.rows[0][0]));
              return 0;
            };
          }};
}

}  // namespace simmim
