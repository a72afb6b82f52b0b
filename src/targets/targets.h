// The table of targets.
#pragma once
#include "core/registry.h"
#include "targets/target.h"

namespace simmim {

// Built for images of `image_size` pixels a side.
using TargetFamily = Family<Target, int64_t>;
const TargetFamily& targets();

}  // namespace simmim
