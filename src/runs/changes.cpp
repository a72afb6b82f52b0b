// Which run folders and plans the database has not seen as they are now.
#include <dirent.h>
#include <fcntl.h>

#include <algorithm>
#include <memory>
#include <thread>
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

struct Known {
  std::string stamp;
  bool running = false;
};

std::vector<std::string> run_names(DIR* folder) {
  std::vector<std::string> names;
  while (const dirent* entry = folder ? ::readdir(folder) : nullptr)
    if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
  return names;
}

// What run.json of each folder looks like. Asking is most of the work where there are thousands: several threads do.
std::vector<std::string> stamps_of(const std::vector<std::string>& names, int folder) {
  constexpr size_t kAThread = 1000;
  std::vector<std::string> stamps(names.size());
  const auto ask = [&](size_t from, size_t to) {
    for (size_t i = from; i < to; ++i) stamps[i] = file_stamp(folder, names[i] + "/run.json");
  };
  const size_t most = std::clamp<size_t>(std::thread::hardware_concurrency(), 1, 8);
  const size_t parts = std::clamp<size_t>(names.size() / kAThread, 1, most);
  std::vector<std::jthread> threads;
  for (size_t part = 1; part < parts; ++part)
    threads.emplace_back(ask, names.size() * part / parts, names.size() * (part + 1) / parts);
  ask(0, names.size() / parts);
  threads.clear();  // waits for them
  return stamps;
}

}  // namespace

std::string folder_stamp(const fs::path& folder) { return file_stamp(AT_FDCWD, folder / "run.json"); }

Changes find_changes(const Sqlite& database, const fs::path& out) {
  std::unordered_map<std::string, Known> runs;
  Statement known_runs = database.prepare("SELECT id, stamp, state = 'running' FROM runs WHERE stamp IS NOT NULL");
  while (known_runs.step()) runs[known_runs.text(0)] = {known_runs.text(1), known_runs.integer(2) != 0};
  std::unordered_map<std::string, std::string> sweeps;
  Statement known_sweeps = database.prepare("SELECT name, stamp FROM sweeps");
  while (known_sweeps.step()) sweeps[known_sweeps.text(0)] = known_sweeps.text(1);

  Changes changes;
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir(runs_folder(out).c_str()), ::closedir);
  const std::vector<std::string> names = run_names(folder.get());
  const std::vector<std::string> stamps = stamps_of(names, folder ? ::dirfd(folder.get()) : -1);
  for (size_t i = 0; i < names.size(); ++i) {
    const auto found = runs.find(names[i]);
    const bool unchanged = found != runs.end() && found->second.stamp == stamps[i];
    if (unchanged && !found->second.running) continue;
    const fs::path path = run_path(out, names[i]);
    if (!unchanged || effective_state(path, read_record(path)) != "running") changes.runs.push_back(path);
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
