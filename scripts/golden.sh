#!/usr/bin/env bash
# Computes the reference values in tests/ anew, by the programs they come from, and shows what changed: golden.sh BUILD.
set -euo pipefail
build=$(realpath "$1")
cd "$(dirname "$0")/.."
{ read -r python; read -r PYTHONPATH; } < <(scripts/bench/install.sh "$build")
export PYTHONPATH
"${python:?the programs could not be installed}" scripts/golden/data.py --torchvision "${PYTHONPATH%%:*}"
# The official code's timm, of which three files are read; its newer ones mix and draw a little differently.
timm=$build/timm-0.4.12
[[ -d $timm ]] || "$python" -m pip install --quiet --no-deps --root-user-action=ignore --target "$timm" timm==0.4.12
"$python" scripts/golden/augment.py --timm "$timm"
"$python" scripts/golden/targets.py
"$python" scripts/golden/dvae.py
"$python" scripts/golden/weights.py "$build/simmim"
"$python" scripts/golden/encoders.py
statistics=$build/statistics  # what the tables' tests are compared with
[[ -d $statistics ]] || "$python" -m pip install --quiet --root-user-action=ignore --target "$statistics" scipy==1.17.1 statsmodels==0.15.0
PYTHONPATH=$statistics "$python" scripts/golden/significance.py
git --no-pager diff --stat -- tests
git --no-pager diff --quiet -- tests && echo "golden: nothing changed"
