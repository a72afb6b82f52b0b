// The table of targets.
#pragma once
#include "core/registry.h"
#include "targets/target.h"

namespace simmim {

using TargetFamily = Family<Target, const TargetSite&>;
const TargetFamily& targets();

}  // namespace simmim
