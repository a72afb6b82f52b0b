// A spawned copy of the program that runs one run: its output goes to the run's log.txt, its events come through a
// pipe (descriptor 3) as JSON lines.
#pragma once
#include <sys/types.h>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/files.h"
#include "core/json.h"

namespace simmim {

inline constexpr int kEventDescriptor = 3;

// The processor cores that this process, or the one of a number, may use, by number.
std::vector<int> core_numbers(pid_t process = 0);

// Of those, the ones of worker number `worker` (from 0) where each of `workers` gets `threads` of its own; empty unless
// they share out all cores exactly: then a worker may run anywhere.
std::vector<int> cores_of_worker(int worker, int workers, int threads);

class WorkerProcess {
 public:
  // Starts `command` in this process group, with `environment` over ours, on `cores` alone (empty: wherever we may
  // run). Code::run_failed if the system refuses.
  WorkerProcess(const std::vector<std::string>& command, const fs::path& log_file,
                const std::map<std::string, std::string>& environment = {}, const std::vector<int>& cores = {});
  ~WorkerProcess();  // kills and reaps it if it still runs
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;

  int descriptor() const { return events_; }                        // for poll
  void read_events(const std::function<void(const Json&)>& event);  // what has come so far, without waiting
  std::optional<int> ended();                                       // the wait status once it has ended
  void signal(int number) const;

 private:
  pid_t pid_ = -1;
  int events_ = -1;
  std::string buffer_;
};

}  // namespace simmim
