// How the runs of a plan stand, as their folders say: the scheduler keeps nothing of its own.
#pragma once
#include <string>
#include <vector>

#include "core/files.h"
#include "core/json.h"

namespace simmim {

enum class RunState { todo, held, running, done, failed, stopped, blocked };  // held: another process runs it

// A run's state by its folder; never running or blocked.
RunState stored_state(const fs::path& out, const std::string& run);

// What the next command looks at: a run that failed for want of data or disk space (Code::data) is tried again, since
// the reason lay outside it.
RunState state_before(const fs::path& out, const std::string& run);

// How selected runs stand before anything starts. blocked: a run that they come from failed or was stopped.
struct PlanState {
  std::vector<std::string> reused, failed, stopped, blocked, todo;
};
// runs: parents first. retry_failed: what failed or was stopped is to do again.
PlanState plan_state(const Json& plan, const std::vector<std::string>& runs, const fs::path& out, bool retry_failed);

// A worker that died before it could write its own end (no engine, no memory): the record says so for it. entry: the
// run's in the plan.
void record_failure(const fs::path& out, const Json& entry, int exit_code, const std::string& why);

std::string error_text(const fs::path& out, const std::string& run);   // what its record says, or where to look
uintmax_t bytes_written(const fs::path& out, const std::string& run);  // of its journal and log

// A run that saved and ended because the sweep gave it up.
void record_stop(const fs::path& out, const std::string& run, const std::string& why);

}  // namespace simmim
