// A small table of typed cells: what every query answers and every renderer takes.
#pragma once
#include <string>
#include <vector>

#include "runs/sqlite.h"

namespace simmim {

struct Frame {
  std::vector<std::string> columns;
  std::vector<std::vector<Value>> rows;
  int column(const std::string& name) const;  // its place, -1 if there is none
};

// Steps through the statement to its end.
Frame read_frame(Statement& statement);

}  // namespace simmim
