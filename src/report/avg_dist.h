// AvgDist of the masks that a pre-training draws, for tables and pictures.
#pragma once
#include "core/json.h"

namespace simmim {

// The mean over a hundred masks, in pixels (masks/distance.h); a configuration's masks are measured once a process. NaN
// for masks that hide all or nothing, and where the configuration does not say.
double mean_avg_dist(const Json& pretrain_config);

}  // namespace simmim
