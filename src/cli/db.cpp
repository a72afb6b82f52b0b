#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/document.h"
#include "cli/terminal.h"
#include "core/error.h"
#include "core/names.h"
#include "runs/database.h"
#include "runs/ingest.h"
#include "runs/merge.h"
#include "runs/run_folder.h"
#include "runs/schema.h"

namespace simmim {
namespace {

// The lists are for programs; a person reads what differs.
void tell_differences(const Json& differences, bool quiet) {
  for (const Json& row : differences)
    say(quiet, fmt::format("{}: {} is {} here and {} there{}", row["run"].get<std::string>(),
                           row["key"].get<std::string>(), row["here"].dump(), row["there"].dump(),
                           row["difference"].is_null() ? "" : ", a difference of " + row["difference"].dump()));
}

Json merge(const fs::path& from, const CommonOptions& common) {
  Json report = merge_results(from, common.out);
  std::string trouble;
  for (const Json& run : report["changed"])
    if (trouble.empty()) trouble = ingest_run(common.database(), run_path(common.out, run));
  if (trouble.empty()) trouble = ingest_changes(common.database(), common.out);
  if (!trouble.empty()) warn(trouble);
  tell_differences(report["differences"], common.quiet || common.json);
  if (!common.json)
    for (const char* list : {"changed", "differences"}) report.erase(list);
  return report;
}

Json migrate(const fs::path& database) {
  std::error_code missing;
  const int64_t before = fs::exists(database, missing) ? stored_schema_version(database) : kSchemaVersion;
  open_for_writing(database);
  Json answer = {{"schema", kSchemaVersion}, {"state", before < kSchemaVersion ? "brought up to date" : "up to date"}};
  if (before > 0 && before < kSchemaVersion) answer["backup"] = backup_before_migration(database, before).string();
  return answer;
}

int run_db(const std::vector<std::string>& words, const CommonOptions& common) {
  static const std::vector<std::string> actions = {"rebuild", "backup", "migrate", "merge"};
  if (words.empty()) fail(Code::usage, "db: give an action: {}", one_of(actions));
  const std::string& action = words[0];
  const fs::path database = common.database();
  Json answer = {{"database", database.string()}};
  if (action == "rebuild") {
    const RebuildReport report = rebuild_database(database, common.out);
    answer.update({{"runs", report.runs}, {"sweeps", report.sweeps}, {"skipped", report.skipped.size()}});
    for (const fs::path& folder : report.skipped)
      say(common.quiet,
          fmt::format("skipped {}: {}", folder.string(),
                      fs::exists(folder / "run.json") ? "its run.json cannot be read; run the same command again"
                                                      : "no run.json in it, no run ever began there"));
  } else if (action == "backup") {
    const fs::path target = words.size() > 1 ? fs::path(words[1]) : fs::path(database.string() + ".backup");
    backup_database(database, target);
    answer["backup"] = target.string();
  } else if (action == "migrate") {
    answer.update(migrate(database));
  } else if (action == "merge") {
    if (words.size() < 2) fail(Code::usage, "db merge: give the results folder to take over");
    answer.update(merge(words[1], common));
  } else {
    fail(Code::usage, "db: unknown action '{}'{}", action, unknown_name_hint(action, actions));
  }
  if (const std::string why = why_no_wal(database); !why.empty())
    answer["journal"] = "a rollback journal instead of WAL: " + why;
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
            return [words, common = args.shared_common()] { return run_db(*words, *common); };
          }};
}

}  // namespace simmim
