// Runs of the program that are killed at their n-th write, sync, rename or cut of a file (kill_point.cpp).
#pragma once
#include <cstdlib>
#include <cstring>

#include "cli/process.h"
#include "core/files.h"

namespace simmim {

// How many points a test tries: 12, or SIMMIM_KILL_POINTS.
inline int kill_points() {
  const char* asked = std::getenv("SIMMIM_KILL_POINTS");
  return asked != nullptr && *asked != '\0' ? std::atoi(asked) : 12;
}

class KillPoint {
 public:
  // Counts what processes of the role ("leader": the one that is started; "others": its workers) do under `watched` and
  // kills at number `at`; 0 only counts.
  KillPoint(const fs::path& watched, uint64_t at, const std::string& role = "leader")
      : counter_(fs::path(watched).concat(".counter")),
        environment_{{"LD_PRELOAD", SIMMIM_KILL_POINT},
                     {"KILL_POINT_ROLE", role},
                     {"KILL_POINT_FOLDER", (watched / "").string()},
                     {"KILL_POINT_COUNTER", counter_.string()},
                     {"KILL_POINT_AT", std::to_string(at)}} {
    write_file_atomically(counter_, std::string(sizeof(uint64_t), '\0'));
  }
  const Process::Environment& environment() const { return environment_; }
  uint64_t count() const {
    uint64_t value = 0;
    const std::string bytes = read_file(counter_);
    std::memcpy(&value, bytes.data(), sizeof value);
    return value;
  }

 private:
  fs::path counter_;
  Process::Environment environment_;
};

}  // namespace simmim
