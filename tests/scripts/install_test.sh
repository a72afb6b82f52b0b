#!/usr/bin/env bash
# What `make install` wrote runs from any directory, and takes its libraries from its own folder: install_test.sh BUILD.
set -euo pipefail
build=$(realpath "$1")
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
prefix=$PWD/prefix

fail() { echo "FAILED: $*"; exit 1; }
cmake --install "$build" --prefix "$prefix" >log || { cat log; fail "cmake --install"; }
mv prefix moved
prefix=$PWD/moved  # run paths are relative: the folder may move
clean() { (mkdir -p elsewhere && cd elsewhere && env -i HOME="$PWD" PATH=/usr/bin:/bin "$@"); }

clean "$prefix/bin/simmim" version >/dev/null || fail "simmim version"
clean "$prefix/bin/simmim" pretrain --dry-run >plan 2>&1 || { cat plan; fail "the engine does not run"; }
clean "$prefix/bin/simmim" list recipes --json >recipes || fail "simmim list recipes"
grep -q '"name"' recipes || fail "no recipe was installed"
clean "$prefix/bin/simmim" list sweeps --json >sweeps || fail "simmim list sweeps"
grep -q '"masks"' sweeps || fail "no sweep was installed"
! grep -q golden sweeps || fail "golden files are listed as sweeps"
clean "$prefix/bin/simmim" sweep small-masks --dry-run --json >sweep || fail "simmim sweep small-masks"
grep -q '"small-masks"' sweep || fail "the installed sweep has another name"
clean "$prefix/bin/simmim" doctor parity >parity || { cat parity; fail "simmim doctor parity"; }
grep -q "golden files: $prefix/share/simmim/golden" parity || { cat parity; fail "the golden files are not the installed ones"; }

loader=$(readelf -l "$prefix/bin/simmim" | sed -n 's/.*interpreter: \(.*\)]/\1/p')
clean "$loader" --inhibit-cache --list "$prefix/lib/simmim/libsimmim_engine.so" >libraries || { cat libraries; fail "libraries"; }
grep -q "=> $prefix/lib/simmim/torch/lib/libtorch_cpu.so" libraries || { cat libraries; fail "LibTorch is not the installed one"; }
if grep -E "=> " libraries | grep -vE "=> ($prefix|/lib|/usr/lib)/"; then fail "libraries outside of the installed folder"; fi
[[ -s $prefix/share/bash-completion/completions/simmim ]] || fail "no completion for bash"
grep -q "pretrain" "$prefix/share/man/man1/simmim.1" || fail "no manual page"
echo "ok"
