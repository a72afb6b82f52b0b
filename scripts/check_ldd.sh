#!/usr/bin/env bash
# Checks what the built files load: check_ldd.sh ENGINE_LIBRARY PROGRAM. The engine must find every library without the
# loader's cache, whose entries for a CUDA toolkit on this machine hide one that is missing elsewhere; the program itself
# must not bring LibTorch in.
set -euo pipefail
engine=$(realpath "$1") program=$(realpath "$2")
loader=$(readelf -l "$program" | sed -n 's/.*interpreter: \(.*\)]/\1/p')
unset LD_LIBRARY_PATH LD_PRELOAD

# One "name => path" a library; the loader stops at the first that it cannot find and names it.
libraries() { "$loader" --inhibit-cache --list "$1" 2>&1; }

status=0
if ! found=$(libraries "$engine"); then
  printf '%s does not load without the CUDA toolkit of this machine:\n%s\n' "$engine" "$found"
  status=1
elif ! grep -q 'libtorch_cpu.so =>' <<<"$found" || grep -E 'libtorch_cuda|libtorch.so' <<<"$found"; then
  printf '%s must load libtorch_cpu and nothing of libtorch_cuda:\n%s\n' "$engine" "$found"
  status=1
fi
if ! found=$(libraries "$program") || grep -E 'libtorch|libc10|libcud|libsimmim_engine' <<<"$found"; then
  printf '%s must load on its own, without LibTorch:\n%s\n' "$program" "$found"
  status=1
fi
exit $status
