#!/usr/bin/env bash
# The library check fails when the engine misses a library, and when the program links the engine.
set -euo pipefail
check=$(realpath "$(dirname "$0")/../../scripts/check_ldd.sh")
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT

fail() { echo "FAILED: $*"; exit 1; }
library() { echo 'int '"$1"'() { return 0; }' | cc -shared -fPIC -x c - -o "lib$1.so" -x none "${@:2}"; }

library torch_cpu
library cupti -Wl,-soname,libcupti.so.99
mkdir hidden && mv libcupti.so hidden/libcupti.so.99
library engine -Wl,--no-as-needed -L. -ltorch_cpu -Wl,-rpath,"$PWD"
library incomplete -Wl,--no-as-needed -L. -ltorch_cpu hidden/libcupti.so.99 -Wl,-rpath,"$PWD"
echo 'int main() { return 0; }' | cc -x c - -o program
echo 'int main() { return 0; }' | cc -x c - -o heavy -x none -Wl,--no-as-needed -L. -ltorch_cpu -Wl,-rpath,"$PWD"

"$check" libengine.so program || fail "a complete pair was refused"
if out=$("$check" libincomplete.so program); then fail "a missing library was not seen"; fi
grep -q 'libcupti.so.99' <<<"$out" || fail "the missing library was not named: $out"
if LD_LIBRARY_PATH=$PWD/hidden "$check" libincomplete.so program >/dev/null; then fail "LD_LIBRARY_PATH hid a missing library"; fi
if "$check" libengine.so heavy >/dev/null; then fail "a program that links LibTorch passed"; fi
echo "ok"
