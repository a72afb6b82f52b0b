#include "runs/frame.h"

#include <algorithm>

namespace simmim {

int Frame::column(const std::string& name) const {
  const auto found = std::find(columns.begin(), columns.end(), name);
  return found == columns.end() ? -1 : static_cast<int>(found - columns.begin());
}

Frame read_frame(Statement& statement) {
  Frame frame;
  for (int i = 0; i < statement.columns(); ++i) frame.columns.push_back(statement.column_name(i));
  while (statement.step()) {
    std::vector<Value>& row = frame.rows.emplace_back();
    for (int i = 0; i < statement.columns(); ++i) row.push_back(statement.value(i));
  }
  return frame;
}

}  // namespace simmim
