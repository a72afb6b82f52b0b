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
  std::string run, kind, cell, state, error, host;
  int64_t seed = 0;
  double epoch = 0, epochs = 0, seconds = 0;  // done of planned; all attempts
};

struct SweepStatus {
  std::string name, about;
  std::map<std::string, int64_t> states;  // state -> runs (a run shared by cells counts once)
  int64_t planned = 0;
  std::vector<RunStatus> running, failed;  // failed: failed, lost and stopped ones
  // Runs that wait or run times the mean duration of done ones of their kind, over the workers at work (at least one).
  // Empty until a run of each kind needed is done.
  std::optional<double> seconds_left;
};

struct Status {
  std::vector<SweepStatus> sweeps;
  std::vector<RunStatus> running;               // of no sweep
  std::map<std::string, int64_t> other_states;  // of no sweep, all of them: state -> runs
};

// All sweeps, or the one named and its tuning (NAME-tune). Code::usage for an unknown one.
Status read_status(const Sqlite& database, const std::string& sweep = "");

Json status_json(const Status& status);

}  // namespace simmim
