// The table of losses.
#pragma once
#include "core/registry.h"
#include "losses/loss.h"

namespace simmim {

using LossFamily = Family<Loss>;
const LossFamily& losses();

}  // namespace simmim
