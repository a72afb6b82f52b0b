// What a running stage talks to besides its model: the run folder, whoever listens to events, the database, and the
// wish to stop.
#pragma once
#include <chrono>
#include <functional>

#include "runs/run_folder.h"

namespace simmim {

// Set from a signal handler; a training loop finishes its step, saves and stops when it reads true.
void request_interrupt();
void clear_interrupt();
bool interrupt_requested();

using EventSink = std::function<void(const Json& event)>;

class Session {
 public:
  Session(RunFolder& folder, fs::path database, EventSink sink)
      : folder_(folder), database_(std::move(database)), sink_(std::move(sink)) {}

  RunFolder& folder() { return folder_; }
  void event(const Json& event) const { sink_(event); }
  void message(const std::string& text);  // to the log and to the listener
  void ingest();                          // takes the folder into the database; trouble is one warning a session

 private:
  RunFolder& folder_;
  fs::path database_;
  EventSink sink_;
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
