// What may stand where TAB is pressed.
#pragma once
#include <string>
#include <vector>

namespace simmim {

struct Completion {
  std::string word, help;
};

// `words`: those behind `simmim`; the last one is begun, or empty. Only candidates that begin so; none means a file's
// name. Never throws for what a person typed.
std::vector<Completion> completions(const std::vector<std::string>& words);

}  // namespace simmim
