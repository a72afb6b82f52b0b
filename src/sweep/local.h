// Runs a frozen plan on this machine: a fixed number of workers, each a spawned copy of the program that runs one run.
// The run folders say what is done; the scheduler keeps nothing of its own, so it may be killed at any time.
#pragma once
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "core/files.h"
#include "core/json.h"
#include "sweep/run_state.h"

namespace simmim {

// What the scheduler tells while it works, for a display. `slot` counts workers from 0.
struct SweepObserver {
  virtual ~SweepObserver() = default;
  virtual void started(int /*slot*/, const std::string& /*run*/) {}
  virtual void event(int /*slot*/, const std::string& /*run*/, const Json& /*event*/) {}  // an engine event
  // state: done, failed, stopped (given up: stop_if), interrupted, lost (taken up again), waits (another process runs
  // it); `why` is one sentence, empty when done.
  virtual void ended(int /*slot*/, const std::string& /*run*/, const std::string& /*state*/,
                     const std::string& /*why*/) {}
  virtual void message(const std::string& /*sentence*/) {}
  virtual void tick() {}  // several times a second
};

inline constexpr double kNever = std::numeric_limits<double>::infinity();
double steady_seconds();  // since some moment; never goes back

struct LocalOptions {
  fs::path out, database, plan_file;
  std::vector<std::string> worker;    // command that is given --plan --run --out --db --parent
  std::vector<std::string> selected;  // run ids, parents first (see runs_in_order)
  int jobs = 1;
  int threads = 0;  // a worker; with jobs they may share out the cores (cores_of_worker); 0: not known
  bool retry_failed = false;
  std::optional<int64_t> max_failures;                 // start nothing new after so many
  int starts_per_run = 3;                              // how often a run whose worker was killed is taken up again
  std::function<int()> interrupts = [] { return 0; };  // signals so far: 1 = save and stop, 2 = stop at once
  std::vector<std::string> gpus = {};                  // what the workers may see, dealt out in turn; empty: everything
  double deadline = kNever;                            // of `clock`: then workers save and stop
  double silence = kNever;  // seconds without a sign of life after which a worker is killed, and its run taken up again
  std::function<double(const std::string& run)> seconds_left = {};  // of a run from where it stands; NaN: not known
  std::function<double()> clock = steady_seconds;
};

struct SweepOutcome {
  // blocked: the parent failed or was stopped; left: not started, or not finished
  std::vector<std::string> done, reused, failed, stopped, blocked, left;
  bool interrupted = false, out_of_time = false;
};

SweepOutcome run_local(const Json& plan, const LocalOptions& options, SweepObserver& observer);

}  // namespace simmim
