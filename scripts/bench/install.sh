#!/usr/bin/env bash
# Installs other people's code that ours is compared with (requirements.txt) into BUILD/bench-env, once: install.sh BUILD.
# Prints "PYTHON<newline>PYTHONPATH". It shares the torch that simmim is built against.
set -euo pipefail
build=$(realpath "$1")
here=$(realpath "$(dirname "$0")")
scripts=$here/..
env=$build/bench-env
torch=$(dirname "$("$scripts/setup.sh" --torch-dir)")

python=
for candidate in python3 /usr/bin/python3; do
  if "$candidate" -c 'import sys, pip; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; then python=$candidate; break; fi
done
[[ -n $python ]] || { echo "bench: it needs Python 3.11 with pip (that of Debian 12)" >&2; exit 2; }

# torch cannot be imported without the CUDA libraries it was linked to, GPU or not.
lists=("$here/requirements.txt")
[[ -e $torch/.torch-cuda.txt ]] || lists+=("$scripts/torch-cuda.txt")
if ! cat "${lists[@]}" | cmp -s - "$env/.complete"; then
  echo "bench: installing the peers in $env (2 GB to download)" >&2
  rm -rf "$env"
  for list in "${lists[@]}"; do
    "$python" -m pip install --quiet --disable-pip-version-check --no-cache-dir --no-compile --no-deps \
      --root-user-action=ignore --only-binary=:all: --target "$env" --requirement "$list" --upgrade
  done
  cat "${lists[@]}" > "$env/.complete"
fi
printf '%s\n' "$python" "$env:$torch"
