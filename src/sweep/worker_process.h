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

class WorkerProcess {
 public:
  // Starts `command` in this process group, with `environment` over ours. Code::run_failed if the system refuses.
  WorkerProcess(const std::vector<std::string>& command, const fs::path& log_file,
                const std::map<std::string, std::string>& environment = {});
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
