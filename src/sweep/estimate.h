// How long a planned run will take, from the speed of the runs that this results folder holds.
#pragma once
#include <vector>

#include "core/files.h"
#include "core/json.h"

namespace simmim {

// A finished run: what it was and how fast.
struct PastRun {
  std::string kind, device, encoder, precision;  // encoder: canonical JSON
  int64_t image_size = 0, parameters = 0;
  double images_per_second = 0;
};
using History = std::vector<PastRun>;  // newest first

History read_history(const fs::path& database, const fs::path& out);

struct Estimate {
  double seconds = 0;     // NaN: nothing to go by
  bool measured = false;  // from runs like it; else from FLOPs and this machine's matrix products

  // "about 3 min, as runs like it took"; `duration` is `seconds` in words.
  std::string text(const std::string& duration) const;
};

// For an entry of the engine's "stages". A finished run of its kind, device, precision, encoder and image size tells
// its own speed; one of another encoder is scaled by the number of parameters. Without one: the plan's "flops" at its
// "gflops", if both are there.
Estimate estimate_time(const Json& stage, const History& history);

// A run's share of a sweep's work, for the time left: images x FLOPs an image, or images where no FLOPs are given.
double work_of(const Json& stage);

// The same runs, those first on which most work hangs, their own and that of the runs that start from them: shared
// pre-trainings early, then the longest, so that no long one is left for the end. runs: parents first, as is the
// answer.
std::vector<std::string> longest_first(const Json& plan, std::vector<std::string> runs);

}  // namespace simmim
