// Measurements that need no engine: how fast the light commands answer.
#pragma once
#include <vector>

#include "core/json.h"

namespace simmim {

// Starts this program with each light command several times: [{"command", "milliseconds" (median), "worst"}].
Json bench_start();

// The training step of `simmim bench step WORDS` in one worker of one thread, and in every equal division of the cores:
// [{"workers", "threads", "images_per_second" (all together), "ratio" (to the first)}]. Code::run_failed if one fails.
Json bench_sweep(const std::vector<std::string>& words);

}  // namespace simmim
