// How long a planned run will take, from what the runs of this results folder took.
#pragma once
#include <string>
#include <vector>

#include "core/files.h"
#include "core/json.h"
#include "runs/sqlite.h"

namespace simmim {

// A finished run: what it was and what it took.
struct PastRun {
  std::string kind, device, precision;
  std::string model;            // what decides the cost of an image, as canonical JSON: see model_of
  double flops = 0;             // of an image forward; 0: not known
  double seconds_an_image = 0;  // of pre-training or training seen, everything between included: evaluation, saving
};
using History = std::vector<PastRun>;  // newest first

History read_history(const Sqlite& database, const fs::path& out);

// The blocks of a configuration on which the cost of an image depends.
std::string model_of(const Json& config);

enum class Basis { like, scaled, products, none };  // runs like it; unlike ones by FLOPs; matrix products; nothing

struct Estimate {
  double seconds = 0;  // NaN: nothing to go by
  Basis basis = Basis::none;

  // "about 3 min, as runs like it took"; `duration` is `seconds` in words.
  std::string text(const std::string& duration) const;
};

// For an entry of the engine's "stages". Finished runs of its kind, device and precision: one of the same model tells
// its own time; else one of another model is scaled by FLOPs an image. Without one: the plan's "flops" at its "gflops",
// if both are there.
Estimate estimate_time(const Json& stage, const History& history);

// A run's share of a sweep's work, for the time left: images x FLOPs an image, or images where no FLOPs are given.
double work_of(const Json& stage);

}  // namespace simmim
