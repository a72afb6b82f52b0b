// Measurements that need no engine: how fast the light commands answer.
#pragma once
#include "core/json.h"

namespace simmim {

// Starts this program with each light command several times: [{"command", "milliseconds" (median), "worst"}].
Json bench_start();

}  // namespace simmim
