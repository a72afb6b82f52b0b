#!/usr/bin/env bash
# Computes the reference values in tests/ anew, by the programs they come from, and shows what changed: golden.sh BUILD.
set -euo pipefail
build=$(realpath "$1")
cd "$(dirname "$0")/.."
{ read -r python; read -r PYTHONPATH; } < <(scripts/bench/install.sh "$build")
export PYTHONPATH
"${python:?the programs could not be installed}" scripts/golden/data.py --torchvision "${PYTHONPATH%%:*}"
git --no-pager diff --stat -- tests/data
git --no-pager diff --quiet -- tests/data && echo "golden: nothing changed"
