// Finds the command that the first word names; the overview and the help.
#include <algorithm>
#include <cstdio>

#include "cli/command.h"
#include "core/error.h"
#include "core/names.h"

namespace simmim {
namespace {

const Command& find_command(const std::vector<Command>& commands, const std::string& name) {
  std::vector<std::string> known;
  for (const Command& command : commands) {
    if (command.name == name) return command;
    if (!command.group.empty()) known.push_back(command.name);
  }
  const std::string near = nearest(name, known);
  fail(Code::usage, "simmim: unknown command '{}'{}; see simmim --help", name,
       near.empty() ? "" : fmt::format("; did you mean '{}'?", near));
}

void print_overview(const std::vector<Command>& commands) {
  std::string text =
      "simmim: masked image modelling - pre-train, fine-tune, sweep, compare.\n\n"
      "  simmim pretrain                          # ViT nano on Fashion-MNIST, mask ratio 0.6\n"
      "  simmim finetune --from latest            # fine-tune what it learnt\n"
      "  simmim sweep demo                        # a grid of both, with seeds\n"
      "  simmim table demo                        # the comparison\n";
  std::string group;
  for (const Command& command : commands) {
    if (command.group.empty()) continue;
    if (command.group != group) text += fmt::format("\n{}:\n", group = command.group);
    text += fmt::format("  {:<12} {}\n", command.name, command.help);
  }
  text += "\nsimmim COMMAND --help tells more. Any key of the configuration is set by key.path=value.\n";
  std::fputs(text.c_str(), stdout);
}

}  // namespace

int run_program(const std::vector<Command>& commands, const std::vector<std::string>& words) {
  if (words.empty() || words[0] == "--help" || words[0] == "-h" || (words[0] == "help" && words.size() == 1)) {
    print_overview(commands);
    return 0;
  }
  std::vector<std::string> rest(words.begin() + 1, words.end());
  std::string name = words[0];
  if (name == "--version" || name == "-V") name = "version";
  if (name == "help") name = rest[0], rest = {"--help"};
  const Command& command = find_command(commands, name);
  Args args(command.name, command.help);
  const std::function<int()> run = command.declare(args);
  if (!args.parse(rest)) {
    std::fputs(args.help_text().c_str(), stdout);
    return 0;
  }
  return run();
}

}  // namespace simmim
