// Which run folders and plans the database has not seen as they are now.
#include <dirent.h>
#include <fcntl.h>

#include <algorithm>
#include <memory>
#include <unordered_map>

#include "runs/run_folder.h"
#include "runs/run_rows.h"
#include "runs/take_in.h"

namespace simmim {
namespace {

fs::path newest_plan(const fs::path& out, const std::string& sweep) {
  std::pair<int64_t, fs::path> newest{-1, {}};
  std::error_code missing;
  for (const auto& entry : fs::directory_iterator(sweeps_folder(out) / sweep, missing)) {
    const std::string name = entry.path().filename();
    if (name.starts_with("plan-") && name.ends_with(".json"))
      newest = std::max(newest, {std::atoll(name.c_str() + 5), entry.path()});
  }
  return newest.second;
}

}  // namespace

std::string folder_stamp(const fs::path& folder) { return file_stamp(AT_FDCWD, folder / "run.json"); }

Changes find_changes(const Sqlite& database, const fs::path& out) {
  std::unordered_map<std::string, std::pair<std::string, bool>> runs;  // id -> {stamp, running}
  Statement known_runs = database.prepare("SELECT id, stamp, state = 'running' FROM runs WHERE stamp IS NOT NULL");
  while (known_runs.step()) runs[known_runs.text(0)] = {known_runs.text(1), known_runs.integer(2) != 0};
  std::unordered_map<std::string, std::string> sweeps;
  Statement known_sweeps = database.prepare("SELECT name, stamp FROM sweeps");
  while (known_sweeps.step()) sweeps[known_sweeps.text(0)] = known_sweeps.text(1);

  Changes changes;
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir(runs_folder(out).c_str()), ::closedir);
  while (const dirent* entry = folder ? ::readdir(folder.get()) : nullptr) {
    const std::string id = entry->d_name;
    if (id.starts_with('.')) continue;
    const auto found = runs.find(id);
    const bool unchanged =
        found != runs.end() && found->second.first == file_stamp(::dirfd(folder.get()), id + "/run.json");
    const fs::path path = run_path(out, id);
    const bool lost = unchanged && found->second.second && effective_state(path, read_record(path)) != "running";
    if (!unchanged || lost) changes.runs.push_back(path);
  }
  for (const std::string& name : sweep_names(out)) {
    const fs::path plan = newest_plan(out, name);
    if (!plan.empty() && (!sweeps.contains(name) || sweeps[name] != file_stamp(AT_FDCWD, plan)))
      changes.plans.push_back(plan);
  }
  std::sort(changes.runs.begin(), changes.runs.end());
  return changes;
}

}  // namespace simmim
