// The table of prediction heads.
#pragma once
#include "core/registry.h"
#include "heads/head.h"

namespace simmim {

using HeadFamily = Family<Head, const Scope&, const FeatureShape&, const PredictionShape&>;
const HeadFamily& heads();

}  // namespace simmim
