// Which losses may be compared.
#pragma once
#include <string>

#include "core/json.h"

namespace simmim {

// Losses mean the same only within one mask, target, loss, area, normalisation and data: runs of a stage whose
// resolved configurations give the same text here.
std::string loss_kind(const Json& config);

}  // namespace simmim
