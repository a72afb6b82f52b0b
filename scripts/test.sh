#!/usr/bin/env bash
# Runs the tests of a build folder: test.sh BUILD JOBS [slow]. Tests carry the label "slow" or none.
set -euo pipefail
build=$1 jobs=$2
label=(--label-exclude slow)
if [[ ${3:-} == slow ]]; then label=(--label-regex slow); fi
# Several test processes share the cores: one thread each unless a test asks for more, and idle ones sleep.
export OMP_NUM_THREADS=1 OMP_WAIT_POLICY=passive
if [[ ! -e $build/libsimmim_cuda.so ]]; then
  echo "no CUDA toolkit here: built and tested for the CPU" >&2
fi
exec ctest --test-dir "$build" --output-on-failure --no-tests=error -j"$jobs" "${label[@]}"
