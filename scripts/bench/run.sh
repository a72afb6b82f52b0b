#!/usr/bin/env bash
# Our steps beside Hugging Face transformers' and timm's, our loader beside torchvision's: run.sh BUILD [--quick] [...].
set -euo pipefail
build=$(realpath "$1")
shift
here=$(realpath "$(dirname "$0")")
{ read -r PEER_PYTHON; read -r PEER_PATH; } < <("$here/install.sh" "$build")
export BENCH_COMMAND=${BENCH_COMMAND:-scripts/bench/run.sh build $*}
export PEER_PYTHON=${PEER_PYTHON:?the peers could not be installed} PEER_PATH
exec "$PEER_PYTHON" "$here/run.py" "$build/simmim" --images "$build/bench-images" --out results/bench "$@"
