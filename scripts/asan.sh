#!/usr/bin/env bash
# The tests that need no LibTorch (readers of files from elsewhere, the database, sweeps) under the address and
# undefined-behaviour sanitizers, in build-asan: asan.sh TORCH_DIR JOBS.
set -euo pipefail
cd "$(dirname "$0")/.."
cmake --preset asan -DSIMMIM_TORCH_DIR="$1" -DSIMMIM_CUDA=OFF >/dev/null
cmake --build build-asan --target tests_base -j "$2"
ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1 exec build-asan/tests_base --gtest_brief=1
