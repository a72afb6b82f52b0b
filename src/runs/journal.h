// The journal of a run: metrics.jsonl, one JSON object a line, only ever appended to. Each line is one write(2), so a
// killed run leaves at most one broken last line, which the next opening cuts off.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "core/files.h"
#include "core/json.h"

namespace simmim {

class Journal {
 public:
  // Opens (makes if absent) the journal for appending. `keep_bytes` cuts it to that length (a resumed run passes the
  // length stored in its checkpoint, a fresh one 0); without it all complete lines are kept. Code::data if it cannot
  // be opened or is shorter than `keep_bytes`.
  explicit Journal(const fs::path& path, std::optional<uint64_t> keep_bytes = std::nullopt);
  ~Journal();
  Journal(Journal&& other) noexcept;
  Journal& operator=(Journal&& other) noexcept;

  // One line, for example {"step":10,"epoch":0.1,"seconds":3.2,"loss":0.7,"lr":1e-3}: every key other than step, epoch
  // and seconds is a metric; NaN and infinities become null. A full disk: the line is taken back, Code::data.
  void append(const Json& line);
  void sync();  // to the disk; call it with each checkpoint, then store bytes()
  uint64_t bytes() const { return bytes_; }

 private:
  fs::path path_;
  int descriptor_ = -1;
  uint64_t bytes_ = 0;
};

// Calls `line` for every complete line from byte `from` on and returns the byte after the last of them. Lines that are
// no JSON object are passed over. A missing file has no lines.
uint64_t read_journal(const fs::path& path, uint64_t from, const std::function<void(const Json& line)>& line);

}  // namespace simmim
