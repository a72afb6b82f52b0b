#!/usr/bin/env bash
# commit.sh FILE: writes, as a C++ source, which commit this tree is ("+": it was changed); a FILE that says so stays.
set -euo pipefail
commit=$(git -C "$(dirname "$0")" describe --always --abbrev=12 --dirty=+ --exclude='*' 2>/dev/null || true)
text="namespace simmim { extern const char* const kCommit; const char* const kCommit = \"$commit\"; }"
[[ -f $1 && $(<"$1") == "$text" ]] || printf '%s\n' "$text" >"$1"
