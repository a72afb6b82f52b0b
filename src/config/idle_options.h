// Options that another one turns off.
#pragma once
#include <vector>

#include "config/layers.h"

namespace simmim {

// Refuses (Code::usage) an option that would change nothing but the run's id, such as target.window without
// target.normalise=window. What a layer below the choice says may stay, and so may what a checkpoint says.
// config: of a resolved stage; merged: of `layers` above the checkpoint's.
void refuse_idle_options(const Json& config, const Merged& merged, const std::vector<Layer>& layers);

}  // namespace simmim
