#!/usr/bin/env bash
# Format, direction of includes, shell scripts, clang-tidy: lint.sh BUILD [FILE...]. A tool that is not installed is named
# and left out. clang-tidy takes a while a file: it reads the files given, else those that differ from the last commit.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
build=$1
shift
status=0

step() {  # NAME TOOL COMMAND...
  if ! command -v "$2" >/dev/null; then
    echo "lint: $1 left out: $2 is not installed"
  elif "${@:3}"; then
    echo "lint: $1 ok"
  else
    echo "lint: $1 FAILED"
    status=1
  fi
}

mapfile -t sources < <(git ls-files -co --exclude-standard 'src/*.h' 'src/*.cpp' 'tests/*.h' 'tests/*.cpp')
mapfile -t scripts < <(git ls-files -co --exclude-standard '*.sh' .ci/run)
if (($#)); then
  tidy=("$@")
else
  mapfile -t tidy < <(git diff --name-only --diff-filter=d HEAD -- 'src/*.cpp')
fi

step includes python3 python3 scripts/check_includes.py
step format clang-format clang-format --dry-run -Werror "${sources[@]}"
step "shell scripts" shellcheck shellcheck --severity=warning "${scripts[@]}"
# clang does not read g++'s precompiled header: its compile commands go without.
if ((${#tidy[@]})); then
  commands=$(mktemp -d)
  trap 'rm -rf "$commands"' EXIT
  sed -E 's/ -Winvalid-pch| -include [^ ]*cmake_pch.hxx//g' "$build/compile_commands.json" > "$commands/compile_commands.json"
  step clang-tidy clang-tidy clang-tidy --quiet -p "$commands" "${tidy[@]}"
fi
exit $status
