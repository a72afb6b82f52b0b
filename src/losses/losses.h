// The table of losses.
#pragma once
#include "core/registry.h"
#include "losses/loss.h"

namespace simmim {

using LossFamily = Family<Loss>;
const LossFamily& losses();

// Names of the losses for a target of classes, or of values.
std::vector<std::string> losses_for(bool classes);

}  // namespace simmim
