// What a running stage talks to besides its model: the run folder, whoever listens to events, the database, and the
// wish to stop.
#pragma once
#include <chrono>
#include <functional>

#include "parallel/group.h"
#include "runs/run_folder.h"

namespace simmim {

// Set from a signal handler; a training loop finishes its step, saves and stops when it reads true.
void request_interrupt();
void clear_interrupt();
bool interrupt_requested();

using EventSink = std::function<void(const Json& event)>;

class Session {
 public:
  Session(RunFolder& folder, fs::path database, EventSink sink, Group& group = this_group())
      : folder_(&folder), path_(folder.path()), database_(std::move(database)), sink_(std::move(sink)), group_(group) {}
  // Of a process that shares the run with the one that holds its folder.
  Session(fs::path run_folder, Group& group) : path_(std::move(run_folder)), group_(group) {}

  Group& group() { return group_; }  // the processes that share the run
  bool first() const { return group_.first(); }
  RunFolder& folder();                                                 // of the first alone
  fs::path file(std::string_view name) const { return path_ / name; }  // in the run's folder
  std::string id() const { return path_.filename(); }
  // The rest does nothing in any but the first.
  void event(const Json& event) const;
  void message(const std::string& text);  // to the log and to the listener
  void ingest();                          // takes the folder into the database; trouble is one warning a session

 private:
  RunFolder* folder_ = nullptr;
  fs::path path_, database_;
  EventSink sink_;
  Group& group_;
  bool warned_ = false;
};

// Seconds since construction.
class StopWatch {
 public:
  double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(); }
  void restart() { start_ = std::chrono::steady_clock::now(); }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace simmim
