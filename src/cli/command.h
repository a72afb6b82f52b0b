// A command of the program: one row of the table in main.cpp, one file in cli/.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "cli/args.h"

namespace simmim {

struct Command {
  std::string name, group, help;  // group: the heading it stands under in the overview; "" = hidden
  // Declares its options and returns what runs once they are parsed; that returns the exit code.
  std::function<std::function<int()>(Args& args)> declare;
};

// Runs `simmim WORDS...`: the overview without words, `help COMMAND`, `COMMAND --help`, or the command itself.
// Throws Error; an unknown command is Code::usage with the nearest name.
int run_program(const std::vector<Command>& commands, const std::vector<std::string>& words);

// The table, for `completion`, which is a row of it.
const std::vector<Command>& all_commands();

}  // namespace simmim
