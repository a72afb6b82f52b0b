#include "sweep/run_state.h"

#include <set>

#include "core/error.h"
#include "runs/run_folder.h"
#include "sweep/plan.h"

namespace simmim {

RunState stored_state(const fs::path& out, const std::string& run) {
  const fs::path folder = run_path(out, run);
  const std::string state = effective_state(folder, read_record(folder));
  if (state == "done") return RunState::done;
  if (is_locked(folder / "lock")) return RunState::held;
  if (state == "stopped") return RunState::stopped;
  return state == "failed" ? RunState::failed : RunState::todo;
}

RunState state_before(const fs::path& out, const std::string& run) {
  const RunState state = stored_state(out, run);
  if (state != RunState::failed) return state;
  const Json attempts = read_record(run_path(out, run)).value("attempts", Json::array());
  const bool outside = !attempts.empty() && attempts.back().value("exit_code", Json()) == static_cast<int>(Code::data);
  return outside ? RunState::todo : state;
}

PlanState plan_state(const Json& plan, const std::vector<std::string>& runs, const fs::path& out, bool retry_failed) {
  PlanState states;
  std::set<std::string> given_up;
  for (const std::string& run : runs) {  // parents first, so one pass reaches grandchildren
    const RunState state = state_before(out, run);
    const bool ended_badly = !retry_failed && (state == RunState::failed || state == RunState::stopped);
    const bool is_blocked = state != RunState::done && given_up.contains(parent_of(plan, run));
    if (ended_badly || is_blocked) given_up.insert(run);
    (state == RunState::done                    ? states.reused
     : ended_badly && state == RunState::failed ? states.failed
     : ended_badly                              ? states.stopped
     : is_blocked                               ? states.blocked
                                                : states.todo)
        .push_back(run);
  }
  return states;
}

void record_failure(const fs::path& out, const Json& entry, int exit_code, const std::string& why) {
  auto folder = RunFolder::claim(out, entry.at("id"));
  if (!folder) return;
  const Json attempts = folder->record().value("attempts", Json::array());
  if (attempts.empty() || attempts.back().value("state", "") != "running")
    folder->begin_attempt(entry.at("kind"),
                          entry.contains("parent") && entry["parent"].is_string() ? entry["parent"] : "",
                          entry.contains("config") ? entry["config"].value("seed", int64_t{0}) : 0, Json::object());
  folder->end_attempt("failed", exit_code, why);
}

std::string error_text(const fs::path& out, const std::string& run) {
  const Json record = read_record(run_path(out, run));
  const auto it = record.find("error");
  return it != record.end() && it->is_string() ? it->get<std::string>() : "see its log.txt";
}

uintmax_t bytes_written(const fs::path& out, const std::string& run) {
  uintmax_t bytes = 0;
  std::error_code missing;
  for (const char* file : {"metrics.jsonl", "log.txt"})
    if (const auto size = fs::file_size(run_path(out, run) / file, missing); !missing) bytes += size;
  return bytes;
}

void record_stop(const fs::path& out, const std::string& run, const std::string& why) {
  auto folder = RunFolder::claim(out, run);
  if (!folder) return;
  Json record = folder->record();
  record["state"] = "stopped";
  record["error"] = why;
  if (Json& attempts = record["attempts"]; !attempts.empty())
    attempts.back()["state"] = "stopped", attempts.back()["error"] = why;
  folder->replace_record(std::move(record));
}

}  // namespace simmim
