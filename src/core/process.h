// Other programs: run to their end, and heard.
#pragma once
#include <string>
#include <vector>

namespace simmim {

struct CommandResult {
  int code = -1;  // exit code; 128 + number after a signal; 127: there is no such program
  std::string out, err;
};

// Looks words[0] up on the PATH; standard input is empty.
CommandResult run_command(const std::vector<std::string>& words);

// A word as a shell reads it back.
std::string shell_quoted(const std::string& word);

}  // namespace simmim
