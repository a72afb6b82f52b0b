// What of a results folder nothing needs any more, and its removal. Final and best weights, what any plan names and
// what any run started from stay, and so does every run that another process holds.
#pragma once
#include <string>
#include <vector>

#include "core/files.h"

namespace simmim {

struct Garbage {
  fs::path path;
  uint64_t bytes = 0;  // that its removal frees
  std::string why;
};

struct GarbageOptions {
  bool remove = false;         // else only looked for
  double older_than_days = 0;  // leaves runs alone that were written to since
};

// - of a finished run: the optimizer's state in last.safetensors (its weights stay), epoch-N.safetensors, crash/;
// - a run of no sweep that failed of itself (not for want of disk, data or memory) and that no run started from;
// - temporary files and folders of processes that are gone;
// - files of OUT/shared that no run and no plan would read.
// Returns what is there, or what was removed. Code::data for a file that cannot be removed, Code::run_failed while
// another gc or merge works here.
std::vector<Garbage> collect_garbage(const fs::path& out, const GarbageOptions& options);

}  // namespace simmim
