// Shell completion, made from the tables of commands and options, so that it cannot lag behind them. Run ids and
// sweeps are asked of the results folder when TAB is pressed.
#include <fmt/format.h>

#include <cstdio>
#include <set>

#include "cli/commands.h"
#include "cli/schema.h"
#include "core/error.h"
#include "core/names.h"
#include "sweep/recipes.h"

namespace simmim {
namespace {

struct CommandWords {
  std::string name, help;
  std::vector<std::string> flags;
  bool takes_keys = false, takes_runs = false, takes_sweeps = false;
};

std::vector<CommandWords> describe() {
  std::vector<CommandWords> out;
  for (const Command& command : all_commands()) {
    if (command.group.empty()) continue;
    Args args(command.name, command.help);
    const auto run = command.declare(args);
    CommandWords words{command.name, command.help, {"--help", "--out", "--db", "--json", "--quiet"}};
    for (const Args::Row& row : args.rows()) {
      for (const std::string& name : split(row.names, ','))
        if (name.starts_with("--")) words.flags.push_back(name);
      words.takes_keys |= row.value.find("key=value") != std::string::npos;
      words.takes_runs |= row.value.find("RUN") != std::string::npos;
      words.takes_sweeps |=
          row.names.empty() && (row.value.find("SWEEP") != std::string::npos || row.value.starts_with("FILE|"));
    }
    out.push_back(std::move(words));
  }
  return out;
}

// "mask.name=random", "mask.name=square", "mask.ratio=": keys, with their values where those are a list.
std::vector<std::string> key_words() {
  std::set<std::string> words;
  for (const KeyHelp& key : all_keys()) {
    words.insert(key.key + "=");
    std::string allowed = key.allowed;
    for (size_t at; (at = allowed.find(" or ")) != std::string::npos;) allowed.replace(at, 4, ", ");
    if (allowed.empty() || allowed.find_first_of("0123456789") == 0 || key.type != "text") continue;
    for (const std::string& value : split(allowed, ',')) words.insert(key.key + "=" + trim(value));
  }
  return {words.begin(), words.end()};
}

std::string bash_text() {
  std::string names, cases;
  for (const CommandWords& command : describe()) {
    names += command.name + " ";
    cases +=
        fmt::format("    {}) words=\"{}\"; keys={}; runs={}; sweeps={} ;;\n", command.name, join(command.flags, " "),
                    int{command.takes_keys}, int{command.takes_runs}, int{command.takes_sweeps});
  }
  std::vector<std::string> sweeps;
  for (const fs::path& path : known_sweeps()) sweeps.push_back(path.stem().string());
  return fmt::format(
      R"bash(# bash completion of simmim; made by `simmim completion bash`. Use: source <(simmim completion bash)
_simmim_keys="{}"
_simmim() {{
  local current previous words="" keys=0 runs=0 sweeps=0
  COMPREPLY=()
  _get_comp_words_by_ref -n =: -c current -p previous 2>/dev/null || {{ current=${{COMP_WORDS[COMP_CWORD]}}; previous=${{COMP_WORDS[COMP_CWORD-1]}}; }}
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "{}help" -- "$current"))
    return
  fi
  case "${{COMP_WORDS[1]}}" in
{}    help) words="{}" ;;
  esac
  case "$previous" in
    --out|--db|-o|--output|--mask|--resources) COMPREPLY=($(compgen -f -- "$current")); return ;;
    --from) words="latest scratch $(simmim runs --quiet --ids 2>/dev/null)" ;;
  esac
  case "$current" in -*) keys=0; runs=0; sweeps=0 ;; esac
  [ "$keys" = 1 ] && words="$words $_simmim_keys"
  [ "$runs" = 1 ] && words="$words latest $(simmim runs --quiet --ids 2>/dev/null)"
  [ "$sweeps" = 1 ] && words="$words {} $(ls "${{SIMMIM_OUT:-results}}/sweeps" 2>/dev/null)"
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  [ "${{#COMPREPLY[@]}}" -eq 0 ] && COMPREPLY=($(compgen -f -- "$current"))
  [[ ${{#COMPREPLY[@]}} -eq 1 && $COMPREPLY == *= ]] && compopt -o nospace 2>/dev/null
  type __ltrim_colon_completions >/dev/null 2>&1 && __ltrim_colon_completions "$current"
  if [[ $current == *=* && $COMP_WORDBREAKS == *=* ]]; then
    COMPREPLY=("${{COMPREPLY[@]#*=}}")
  fi
}}
complete -F _simmim simmim
)bash",
      join(key_words(), " "), names, cases, names, join(sweeps, " "));
}

std::string fish_text() {
  std::string text = "# fish completion of simmim; made by `simmim completion fish`\n";
  for (const CommandWords& command : describe()) {
    text += fmt::format("complete -c simmim -n __fish_use_subcommand -f -a {} -d '{}'\n", command.name,
                        join(split(command.help, '\''), "\\'"));
    const std::string when = fmt::format("-n '__fish_seen_subcommand_from {}'", command.name);
    for (const std::string& flag : command.flags)
      text += fmt::format("complete -c simmim {} -l {}\n", when, flag.substr(2));
    if (command.takes_keys) text += fmt::format("complete -c simmim {} -a '{}'\n", when, join(key_words(), " "));
    if (command.takes_runs)
      text += fmt::format("complete -c simmim {} -a 'latest (simmim runs --quiet --ids 2>/dev/null)'\n", when);
  }
  return text;
}

}  // namespace

Command completion_command() {
  return {"completion", "Program", "shell completion for bash, zsh or fish", [](Args& args) {
            static const std::vector<std::string> shells = {"bash", "zsh", "fish"};
            auto shell = std::make_shared<std::string>();
            args.example("source <(simmim completion bash)");
            args.positional("SHELL", *shell, one_of(shells));
            return [shell] {
              if (*shell != "bash" && *shell != "zsh" && *shell != "fish")
                fail(Code::usage, "completion: which shell? got '{}'{}", *shell, unknown_name_hint(*shell, shells));
              std::string text = *shell == "fish" ? fish_text() : bash_text();
              if (*shell == "zsh") text = "#compdef simmim\nautoload -U +X bashcompinit && bashcompinit\n" + text;
              std::fputs(text.c_str(), stdout);
              return 0;
            };
          }};
}

}  // namespace simmim
