#include <unistd.h>

#include <iostream>

#include "cli/commands.h"
#include "cli/document.h"
#include "cli/terminal.h"
#include "core/error.h"
#include "runs/ingest.h"
#include "runs/run_folder.h"
#include "sweep/garbage.h"

namespace simmim {
namespace {

struct GcOptions {
  bool dry_run = false, yes = false;
  std::optional<int64_t> older_than;
};

double sum_of(const std::vector<Garbage>& garbage) {
  double bytes = 0;
  for (const Garbage& item : garbage) bytes += static_cast<double>(item.bytes);
  return bytes;
}

void print(const std::vector<Garbage>& garbage, bool removed, bool json) {
  Json items = Json::array();
  for (const Garbage& item : garbage)
    items.push_back({{"path", item.path.string()},
                     {"bytes", json ? Json(item.bytes) : Json(bytes_text(static_cast<double>(item.bytes)))},
                     {"why", item.why}});
  if (json)
    print_document({{"items", items}, {"bytes", sum_of(garbage)}, {"removed", removed}}, true);
  else if (garbage.empty())
    fmt::print("nothing to remove\n");
  else
    fmt::print("{}{} {}\n", document_text(items), removed ? "removed:" : "may go:", bytes_text(sum_of(garbage)));
  std::fflush(stdout);
}

// The rows of what was touched: other sizes, and runs that are gone.
void update_database(const std::vector<Garbage>& removed, const CommonOptions& common) {
  std::error_code missing;
  if (!fs::exists(common.database(), missing)) return;
  std::string last;
  for (const Garbage& item : removed) {
    const fs::path relative = item.path.lexically_relative(runs_folder(common.out));
    const std::string id = relative.empty() ? ".." : relative.begin()->string();
    if (id.starts_with(".") || id == last) continue;
    const std::string trouble = ingest_run(common.database(), run_path(common.out, last = id));
    if (!trouble.empty()) return warn(trouble);
  }
}

bool is_agreed() {
  fmt::print(stderr, "Remove them? [y/N] ");
  std::string answer;
  return std::getline(std::cin, answer) && (answer == "y" || answer == "yes");
}

int run_gc(const GcOptions& options, const CommonOptions& common) {
  GarbageOptions what{.older_than_days = static_cast<double>(options.older_than.value_or(0))};
  if (!options.yes || options.dry_run) {
    const std::vector<Garbage> garbage = collect_garbage(common.out, what);
    if (garbage.empty() || options.dry_run || !common.json) print(garbage, false, common.json);
    if (garbage.empty() || options.dry_run) {
      hint(common, garbage.empty() ? "simmim runs" : "simmim gc --yes");
      return 0;
    }
    if (isatty(STDIN_FILENO) == 0 || common.json)
      fail(Code::usage, "gc: nothing was removed, since nobody can be asked here; say so with --yes");
    if (!is_agreed()) return 0;
  }
  what.remove = true;
  const std::vector<Garbage> removed = collect_garbage(common.out, what);
  print(removed, true, common.json);
  update_database(removed, common);
  hint(common, "simmim runs");
  return 0;
}

}  // namespace

Command gc_command() {
  return {"gc", "Program", "remove what nothing needs: optimizer states of finished runs, leftovers of killed ones",
          [](Args& args) {
            auto options = std::make_shared<GcOptions>();
            args.example("simmim gc --dry-run");
            args.flag("-n,--dry-run", options->dry_run, "show what may go and how many bytes; remove nothing");
            args.flag("--yes", options->yes, "remove without asking");
            args.option("--older-than", "DAYS", options->older_than, "leave runs alone that were written to since");
            return [options, common = args.shared_common()] { return run_gc(*options, *common); };
          }};
}

}  // namespace simmim
