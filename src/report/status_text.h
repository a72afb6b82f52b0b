// Status and single runs for a terminal.
#pragma once
#include <string>

#include "core/json.h"
#include "runs/status.h"

namespace simmim {

std::string status_text(const Status& status);
std::string run_text(const Json& description);  // of describe_run
std::string duration_text(double seconds);      // "45 s", "12 min", "3 h 20 min", "2 d 4 h"

}  // namespace simmim
