#!/usr/bin/env bash
# The question of sweeps/demo.json, answered on Fashion-MNIST: demo.sh PROGRAM. What is done already is not done again.
set -euo pipefail
simmim=$(realpath "$1")
cd "$(dirname "$0")/.."
out=results/demo
simmim() { "$simmim" "$@" --out "$out"; }

simmim sweep sweeps/demo.json
simmim table demo --format markdown -o "$out/table.md"
simmim plot demo -o "$out/plot.png"
simmim plot demo -o "$out/plot.svg"
best=$(simmim query "SELECT parent FROM results WHERE kind = 'finetune' AND parent IS NOT NULL
                     ORDER BY val_top1 DESC LIMIT 1" --format json | python3 -c 'import json, sys; print(json.load(sys.stdin)[0]["parent"])')
simmim reconstruct --from "$best" val:0-7 -o "$out/reconstruction.png"

printf '\n'
simmim table demo
printf '\nThe table, the curves and reconstructed images: %s\n' "$out/{table.md,plot.png,plot.svg,reconstruction.png}"
printf 'The runs behind them: %s runs --out %s\n' build/simmim "$out"
