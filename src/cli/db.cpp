#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/document.h"
#include "cli/terminal.h"
#include "core/error.h"
#include "core/names.h"
#include "runs/database.h"
#include "runs/ingest.h"
#include "runs/run_folder.h"

namespace simmim {
namespace {

// Copies the run folders and sweeps that are not here yet; a copy takes its name only when it is whole.
Json merge_results(const fs::path& from, const fs::path& out) {
  if (!fs::is_directory(runs_folder(from)))
    fail(Code::usage, "db merge: {} has no runs folder; give a results folder", from.string());
  int64_t taken = 0, known = 0, running = 0;
  for (const fs::path& part : {runs_folder(from), sweeps_folder(from)}) {
    if (!fs::is_directory(part)) continue;
    const fs::path target = part.filename() == "runs" ? runs_folder(out) : sweeps_folder(out);
    make_folder(target);
    for (const auto& entry : fs::directory_iterator(part)) {
      const fs::path name = entry.path().filename();
      if (!entry.is_directory()) continue;
      if (is_locked(entry.path() / "lock") && part.filename() == "runs") {
        ++running;
      } else if (fs::exists(target / name)) {
        ++known;
      } else {
        const fs::path temporary = target / (".tmp-" + name.string());
        fs::remove_all(temporary);
        fs::copy(entry.path(), temporary, fs::copy_options::recursive);
        fs::rename(temporary, target / name);
        ++taken;
      }
    }
  }
  return {{"taken_over", taken}, {"already_here", known}, {"still_running", running}};
}

int run(const std::vector<std::string>& words, const CommonOptions& common) {
  static const std::vector<std::string> actions = {"rebuild", "backup", "migrate", "merge"};
  if (words.empty()) fail(Code::usage, "db: give an action: {}", one_of(actions));
  const std::string& action = words[0];
  const fs::path database = common.database();
  Json answer = {{"database", database.string()}};
  if (action == "rebuild") {
    const RebuildReport report = rebuild_database(database, common.out);
    answer.update({{"runs", report.runs}, {"sweeps", report.sweeps}, {"skipped", report.skipped}});
  } else if (action == "backup") {
    const fs::path target = words.size() > 1 ? fs::path(words[1]) : fs::path(database.string() + ".backup");
    backup_database(database, target);
    answer["backup"] = target.string();
  } else if (action == "migrate") {
    open_for_writing(database);
    answer["state"] = "up to date";
  } else if (action == "merge") {
    if (words.size() < 2) fail(Code::usage, "db merge: give the results folder to take over");
    answer.update(merge_results(words[1], common.out));
    if (const std::string trouble = ingest_changes(database, common.out); !trouble.empty()) warn(trouble);
  } else {
    fail(Code::usage, "db: unknown action '{}'{}", action, unknown_name_hint(action, actions));
  }
  print_document(answer, common.json);
  hint(common, "simmim runs");
  return 0;
}

}  // namespace

Command db_command() {
  return {"db", "Program", "rebuild, back up or migrate the database; take over another results folder",
          [](Args& args) {
            auto words = std::make_shared<std::vector<std::string>>();
            args.example("simmim db rebuild");
            args.example("simmim db merge /home/ann/results");
            args.positional("ACTION", *words, "backup takes a FILE, merge a DIR",
                            {"rebuild", "backup", "migrate", "merge"});
            return [words, common = args.shared_common()] { return run(*words, *common); };
          }};
}

}  // namespace simmim
