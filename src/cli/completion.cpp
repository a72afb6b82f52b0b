// Shell completion. The scripts ask the program itself at every TAB (`simmim complete -- WORDS...`), which answers from
// the tables of commands, options and keys and from the results folder: nothing can lag behind.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "cli/commands.h"
#include "cli/completions.h"
#include "cli/manual.h"
#include "core/error.h"
#include "core/names.h"

namespace simmim {
namespace {

// The words of the line are taken apart at spaces alone, because bash splits its own at = and : too; of a candidate
// bash wants what stands behind the last of these.
constexpr const char* kBash =
    R"bash(# bash completion of simmim; made by `simmim completion bash`. Use: source <(simmim completion bash)
_simmim() {
  local line=${COMP_LINE:0:COMP_POINT} words current start
  read -ra words <<< "$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  current=${words[${#words[@]}-1]}
  mapfile -t COMPREPLY < <("${words[0]}" complete -- "${words[@]:1}" 2>/dev/null | cut -f1)
  start=${current%"${current##*[=:]}"}
  [[ -n $start ]] && COMPREPLY=("${COMPREPLY[@]#"$start"}")
  [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace 2>/dev/null
  return 0
}
complete -o default -F _simmim simmim
)bash";

constexpr const char* kZsh = R"zsh(#compdef simmim
# zsh completion of simmim; made by `simmim completion zsh`. Use: source <(simmim completion zsh)
_simmim() {
  local -a lines keys plain
  lines=("${(@f)$("${words[1]}" complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)}")
  lines=("${(@)lines%%$'\t'*}")
  keys=("${(@M)lines:#*=}")
  plain=("${(@)lines:#*=}")
  plain=("${(@)plain:#}")
  (( $#keys )) && compadd -S '' -- "${keys[@]}"
  (( $#plain )) && compadd -- "${plain[@]}"
  (( $#keys + $#plain )) || _files
}
if [[ ${funcstack[1]} == _simmim ]]; then _simmim "$@"; else compdef _simmim simmim; fi
)zsh";

constexpr const char* kFish = R"fish(# fish completion of simmim; made by `simmim completion fish`
complete -c simmim -a '(set -l line (commandline -opc); $line[1] complete -- $line[2..-1] (commandline -ct) 2>/dev/null)'
)fish";

}  // namespace

Command completion_command() {
  return {"completion", "Program", "shell completion for bash, zsh or fish; the manual page", [](Args& args) {
            static const std::vector<std::string> kinds = {"bash", "zsh", "fish", "man"};
            auto kind = std::make_shared<std::string>();
            args.example("source <(simmim completion bash)");
            args.example("simmim completion man | man -l -");
            args.positional("SHELL", *kind, "whose script; man: the manual page", kinds);
            return [kind] {
              if (std::find(kinds.begin(), kinds.end(), *kind) == kinds.end())
                fail(Code::usage, "completion: which shell? got '{}'{}", *kind, unknown_name_hint(*kind, kinds));
              std::fputs((*kind == "bash"   ? std::string(kBash)
                          : *kind == "zsh"  ? kZsh
                          : *kind == "fish" ? kFish
                                            : manual_page())
                             .c_str(),
                         stdout);
              return 0;
            };
          }};
}

Command complete_command() {
  return {"complete", "", "what may stand where TAB is pressed", [](Args& args) {
            auto words = std::make_shared<std::vector<std::string>>();
            args.positional("WORD", *words, "the words behind simmim, the last one begun (or empty)");
            return [words] {
              for (const Completion& completion : completions(*words))
                fmt::print("{}{}{}\n", completion.word, completion.help.empty() ? "" : "\t", completion.help);
              return 0;
            };
          }};
}

}  // namespace simmim
