// How sweeps and running runs stand: what is done, running, failed, waiting, and the time left.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/files.h"
#include "core/json.h"
#include "runs/sqlite.h"

namespace simmim {

struct RunStatus {
  std::string run, kind, cell, state, error, host, parent;
  int64_t seed = 0;
  double epoch = 0, epochs = 0, seconds = 0;  // done of planned; all attempts
};

struct SweepStatus {
  std::string name, about;
  // state -> runs (a run shared by cells counts once); "blocked": one that waits for a run that failed or was stopped
  std::map<std::string, int64_t> states;
  int64_t planned = 0;
  std::vector<RunStatus> running, failed;  // failed: failed, lost and stopped ones
  // As estimate_time has it for each run of the newest plan that waits or runs, over the workers at work (none: as
  // many as this machine has room for). Empty where nothing is known of one of them.
  std::optional<double> seconds_left;
};

struct Status {
  std::vector<SweepStatus> sweeps;
  std::vector<RunStatus> running;               // of no sweep
  std::map<std::string, int64_t> other_states;  // of no sweep, all of them: state -> runs
};

// The end of a message that asks for a sweep: those that have run here, or how to see some to start.
std::string sweeps_hint(const std::string& name, const std::vector<std::string>& here);

// What the database calls a sweep that is named in any way that find_sweep takes. Code::usage, with what to do, if
// nothing of it has run here.
std::string sweep_run_here(const Sqlite& database, const std::string& name);

// All sweeps, or the one named and its tuning (NAME-tune). Code::usage for an unknown one. out: the results folder, for
// the time left; empty: without it.
Status read_status(const Sqlite& database, const std::string& sweep = "", const fs::path& out = {});

Json status_json(const Status& status);

}  // namespace simmim
