#!/usr/bin/env bash
# What only a GPU can tell, in about ten minutes: gpu_check.sh [BUILD]. The fused block on the device beside LibTorch's
# operations there and the truth in double, and its bits twice; the same under compute-sanitizer, where the toolkit has it;
# then images a second of whole steps with the kernels of src/cuda and without them (SIMMIM_PLAIN=1).
set -euo pipefail
cd "$(dirname "$0")/.."
build=${1:-build}
nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader
ninja -C "$build" simmim simmim_engine simmim_cuda tests_layers
tests=("$build/tests_layers" '--gtest_filter=*OnTheGpu*' --gtest_brief=1)

echo '== parity'
"${tests[@]}"

echo '== compute-sanitizer'
sanitizer=$(command -v compute-sanitizer || ls /usr/local/cuda/bin/compute-sanitizer 2>/dev/null || true)
if [[ $sanitizer ]]; then
  for tool in memcheck racecheck synccheck; do
    "$sanitizer" --tool "$tool" --error-exitcode 1 --kernel-regex kns=simmim "${tests[@]}"
  done
else
  echo 'skipped: this machine has no compute-sanitizer'
fi

echo '== images a second, with our kernels and without'
rate() { "$build/simmim" bench step "$@" device=cuda --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["images_per_second"])'; }
for recipe in swin_base_192_800ep:128 vit_base_224_800ep:128; do
  for precision in bf16 f32; do
    options=("sweeps/recipes/${recipe%:*}.json" "pretrain.batch_size=${recipe#*:}" "precision=$precision")
    with=$(rate "${options[@]}") without=$(SIMMIM_PLAIN=1 rate "${options[@]}")
    awk -v r="${recipe%:*} $precision" -v a="$with" -v b="$without" \
      'BEGIN { printf "%-28s %8.0f %8.0f   x %.2f\n", r, a, b, a / b }'
  done
done
