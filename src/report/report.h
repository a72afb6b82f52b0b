// A sweep on one HTML page that needs nothing but itself: the question, the tables, the pictures, reconstructions of
// every cell side by side, the plan, environments, failures, and the commands that repeat it.
#pragma once
#include <string>

#include "core/files.h"
#include "runs/sqlite.h"

namespace simmim {

// Code::usage for an unknown sweep. Pictures that cannot be drawn (no gnuplot, nothing done yet) are left out with the
// reason.
std::string sweep_report(const Sqlite& database, const fs::path& out, const std::string& sweep);

}  // namespace simmim
