#include "cli/manual.h"

#include <fmt/format.h>

#include "cli/commands.h"
#include "core/names.h"

namespace simmim {
namespace {

// Text as troff prints it: minus signs stay minus signs, a line that begins with a dot or a quote is no request.
std::string troff(const std::string& text) {
  std::string out;
  bool at_start = true;
  for (const char c : text) {
    if (at_start && (c == '.' || c == '\'')) out += "\\&";
    out += c == '\\' ? "\\e" : c == '-' ? "\\-" : std::string(1, c);
    at_start = c == '\n';
  }
  return out;
}

std::string command_text(const Command& command) {
  Args args(command.name, command.help);
  const auto run = command.declare(args);
  std::string usage = "simmim " + command.name;
  for (const Args::Row& row : args.rows())
    if (row.names.empty()) usage += " [" + row.value + "]";
  std::string text = ".SS " + troff(usage) + "\n" + troff(command.help) + ".\n";
  for (const Args::Row& row : args.rows())
    text += fmt::format(".TP\n.B {}\n{}{}\n",
                        troff(row.names.empty() ? row.value : row.names + (row.value.empty() ? "" : " " + row.value)),
                        troff(row.help), row.choices.empty() ? "" : troff(": " + one_of(row.choices)));
  if (const std::string more = args.manual_text(); !more.empty()) text += ".PP\n.nf\n" + troff(more) + ".fi\n";
  return text;
}

}  // namespace

std::string manual_page() {
  std::string text =
      ".TH SIMMIM 1\n.SH NAME\nsimmim \\- masked image modelling from a configuration to a table\n"
      ".SH SYNOPSIS\n.B simmim\n.I COMMAND\n[\\fIRECIPE\\fR] [\\fIkey=value\\fR...] [\\fIoptions\\fR]\n"
      ".SH DESCRIPTION\nPre\\-trains image encoders by predicting masked pixels, fine\\-tunes and probes them, runs "
      "grids "
      "of such runs with several seeds, and compares them in tables. Any key of the configuration is set by key=value; "
      "simmim COMMAND \\-\\-help lists the keys.\n";
  std::string group;
  for (const Command& command : all_commands()) {
    if (command.group.empty()) continue;
    if (command.group != group) {
      group = command.group;
      std::string title = group;
      for (char& c : title) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
      text += ".SH COMMANDS: " + troff(title) + "\n";
    }
    text += command_text(command);
  }
  text += ".SH OPTIONS OF EVERY COMMAND\n";
  for (const auto& [names, help] : {std::pair{"--out DIR", "where runs and the database live (default results)"},
                                    {"--db FILE", "the database (default DIR/simmim.db)"},
                                    {"--json", "one JSON document on standard output"},
                                    {"-q, --quiet", "no progress, no hints"},
                                    {"-h, --help", "an example first, then every option and key"}})
    text += ".TP\n.B " + troff(names) + "\n" + troff(help) + "\n";
  text += ".SH ENVIRONMENT\n";
  for (const auto& [name, help] : {std::pair{"SIMMIM_OUT", "the results folder, as --out"},
                                   {"SIMMIM_DB", "the database, as --db"},
                                   {"SIMMIM_THREADS", "processor threads a run, as --threads"},
                                   {"NO_COLOR, TERM=dumb", "no colours, no live lines"}})
    text += ".TP\n.B " + troff(name) + "\n" + troff(help) + "\n";
  text += ".SH FILES\n";
  for (const auto& [name, help] : {std::pair{"results/simmim.db", "the index of all runs (SQLite)"},
                                   {"results/runs/ID/", "a run: configuration, journal, log, checkpoints"},
                                   {"results/sweeps/NAME/", "the frozen plans of a sweep"},
                                   {"~/.config/simmim/site.json", "facts of this site: data roots, Slurm"}})
    text += ".TP\n.I " + troff(name) + "\n" + troff(help) + "\n";
  text += ".SH EXIT STATUS\n";
  for (const auto& [code, help] : {std::pair{"0", "done"},
                                   {"1", "a run failed"},
                                   {"2", "a key, recipe, sweep, run or SQL that is unknown or wrong"},
                                   {"3", "some runs of a sweep failed"},
                                   {"4", "interrupted; the same command goes on"},
                                   {"5", "a data root, image, checkpoint, read-only folder or full disk"},
                                   {"6", "device or memory"},
                                   {"7", "the database"}})
    text += fmt::format(".TP\n.B {}\n{}\n", code, troff(help));
  return text;
}

}  // namespace simmim
