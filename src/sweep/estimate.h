// How long a planned run will take, from the speed of the runs that this results folder holds.
#pragma once
#include <vector>

#include "core/files.h"
#include "core/json.h"

namespace simmim {

// A finished run: what it was and how fast.
struct PastRun {
  std::string kind, device, encoder;  // encoder: canonical JSON
  int64_t image_size = 0, parameters = 0;
  double images_per_second = 0;
};
using History = std::vector<PastRun>;  // newest first

History read_history(const fs::path& database, const fs::path& out);

// Seconds for an entry of the engine's "stages"; NaN where no run of its kind and device is known. A run of the same
// encoder and image size tells its own speed; another one is scaled by the number of parameters.
double estimated_seconds(const Json& stage, const History& history);

// A run's share of a sweep's work, for the time left: images x FLOPs an image, or images where no FLOPs are given.
double work_of(const Json& stage);

}  // namespace simmim
