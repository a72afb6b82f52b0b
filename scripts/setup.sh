#!/usr/bin/env bash
# Installs what simmim is built from, and only what is missing: Debian's packages (packages.txt) and LibTorch (torch.txt)
# into the user's cache, where every clone finds it. Says nothing when there is nothing to do.
#
#   TORCH_DIR=FOLDER     use the torch 2.11.0 in FOLDER (the wheel's torch/ or the folder above it), install none
#   SIMMIM_PACKAGES=no   leave the system's packages alone
#   SIMMIM_CUDA=yes|no   also fetch what LibTorch's CUDA half loads; unset: where an NVIDIA driver is
#
# setup.sh --torch-dir prints the folder that the build takes LibTorch from; setup.sh --slow also installs what the slow
# tests need (packages-slow.txt).
set -euo pipefail
cd "$(dirname "$0")"

cache=${XDG_CACHE_HOME:-$HOME/.cache}/simmim
torch=$cache/torch-2.11.0

say() { printf 'setup: %s\n' "$*" >&2; }
die() { say "$@"; exit 1; }

names() { sed 's/#.*//; s/[[:space:]]*--hash.*//; /^[[:space:]]*$/d' "$@"; }

given_torch() {  # the torch/ folder that TORCH_DIR means
  local dir
  for dir in "$TORCH_DIR" "$TORCH_DIR/torch"; do
    if [[ -f $dir/lib/libtorch_cpu.so && -d $dir/include/ATen ]]; then
      grep -q '^#define TORCH_VERSION_MINOR 11$' "$dir"/include/torch/headeronly/version.h 2>/dev/null ||
        die "TORCH_DIR=$TORCH_DIR: this is not LibTorch 2.11.0; simmim is built against that version only"
      (cd "$dir" && pwd)
      return
    fi
  done
  die "TORCH_DIR=$TORCH_DIR: no lib/libtorch_cpu.so and include/ATen in it; give the torch/ folder of the torch 2.11.0 wheel"
}

# --- Debian's packages
lists=(packages.txt)
[[ ${1:-} != --slow ]] || lists+=(packages-slow.txt)
missing_packages() {
  local installed
  installed=$(dpkg-query -W -f='${Package} ${db:Status-Status}\n' 2>/dev/null | sed -n 's/ installed$//p')
  names "${lists[@]}" | grep -vxF -f <(printf '%s\n' "$installed") || true
}

install_packages() {  # [NAME...]: only these, if they are missing
  [[ ${SIMMIM_PACKAGES:-} != no ]] || return 0
  if ! command -v dpkg-query >/dev/null; then
    say "not a Debian system: install the equivalents of scripts/packages.txt yourself"
    return
  fi
  local missing root=()
  missing=$(missing_packages | { if (($#)); then grep -xF -f <(printf '%s\n' "$@") || true; else cat; fi; } | tr '\n' ' ')
  [[ -n ${missing// /} ]] || return 0
  if [[ $(id -u) != 0 ]]; then
    command -v sudo >/dev/null || die "these Debian packages are missing and neither root nor sudo is at hand: $missing
       as root: apt-get install $missing"
    root=(sudo)
  fi
  say "installing Debian packages: $missing"
  local apt=("${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=600 -qq)
  local install=("${apt[@]}" install -y --no-install-recommends)
  # The package lists of a fresh machine are empty or old: fetch them when the first try fails.
  # shellcheck disable=SC2086
  "${install[@]}" $missing >/dev/null 2>&1 || { "${apt[@]}" update && "${install[@]}" $missing >/dev/null; } ||
    die "apt-get could not install: $missing"
}

# --- LibTorch
# The marker is written last and holds the list it was installed from.
has() { cmp -s "$torch/.$1" "$1" && [[ -f $torch/torch/lib/libtorch_cpu.so && -d $torch/torch/include/ATen ]]; }

matches_wheels() {  # an install without our marker, say by plain pip
  # shellcheck disable=SC2046
  [[ -d $torch ]] && python3 verify_wheels.py "$torch" $(names "$1") >&2
}

find_pip() {  # into `pip`; a python3 of the user's own may have none
  local python
  pip=()
  if [[ -n ${SIMMIM_PIP:-} ]]; then pip=("$SIMMIM_PIP"); fi
  for python in python3 /usr/bin/python3; do
    if ((!${#pip[@]})) && "$python" -m pip --version >/dev/null 2>&1; then pip=("$python" -m pip); fi
  done
  ((${#pip[@]}))
}

pip() {
  find_pip || die "python3 has no pip; install python3-pip"
  "${pip[@]}" "$@"
}

pip_install() {  # LIST FOLDER
  # The platforms are named so that a Python of any version takes the same files.
  pip install --quiet --disable-pip-version-check --no-cache-dir --no-compile --no-deps --no-input --root-user-action=ignore --require-hashes \
    --only-binary=:all: --implementation cp --python-version 3.11 --abi cp311 --abi none \
    --platform manylinux_2_28_x86_64 --platform manylinux_2_27_x86_64 --platform manylinux_2_25_x86_64 \
    --platform manylinux_2_18_x86_64 --platform manylinux_2_17_x86_64 --platform manylinux2014_x86_64 \
    --platform manylinux2010_x86_64 --platform manylinux_2_12_x86_64 --platform manylinux1_x86_64 \
    --target "$2" --requirement "$1"
}

install_torch() {
  ! has torch.txt || return 0
  local partial="$torch.partial"
  rm -rf "$partial"
  if matches_wheels torch.txt; then
    say "found a complete LibTorch in $torch"
  else
    say "fetching LibTorch (530 MB, 1.2 GB unpacked) into $torch"
    pip_install torch.txt "$partial" || { rm -rf "$partial"; die "pip could not fetch LibTorch; the same command tries again"; }
    # shellcheck disable=SC2046
    python3 verify_wheels.py "$partial" $(names torch.txt) >&2 || die "what pip installed is not what the wheels hold"
    rm -rf "$torch"
    mv -T "$partial" "$torch"
  fi
  cp torch.txt "$torch/.torch.txt.tmp"
  sync -f "$torch"
  mv "$torch/.torch.txt.tmp" "$torch/.torch.txt"
}

wants_cuda() {
  case ${SIMMIM_CUDA:-} in
    yes) ;;
    no) return 1 ;;
    *) [[ -e /dev/nvidiactl ]] ;;
  esac
}

install_torch_cuda() {
  wants_cuda && ! has torch-cuda.txt || return 0
  local partial="$torch-cuda.partial"
  rm -rf "$partial"
  say "an NVIDIA driver is here: fetching LibTorch's CUDA libraries (2 GB) into $torch"
  pip_install torch-cuda.txt "$partial" ||
    { rm -rf "$partial"; say "pip could not fetch them; simmim will run on the CPU"; return; }
  cp -a "$partial/." "$torch/"
  rm -rf "$partial"
  cp torch-cuda.txt "$torch/.torch-cuda.txt"
}

if [[ ${1:-} == --torch-dir ]]; then
  if [[ -n ${TORCH_DIR:-} ]]; then given_torch; else echo "$torch/torch"; fi
  exit
fi
[[ $(uname -sm) == "Linux x86_64" ]] || die "simmim is built on Linux x86_64, this is $(uname -sm)"

if [[ -n ${TORCH_DIR:-} ]]; then
  given_torch >/dev/null
  install_packages
else
  mkdir -p "$cache" || die "$cache cannot be made; set XDG_CACHE_HOME to a folder you may write"
  exec 9>"$torch.lock"
  flock --nonblock 9 || { say "another set-up is at work, waiting for it"; flock 9; }
  # The packages while LibTorch is fetched: the one waits for the disk, the other for the network.
  has torch.txt || find_pip || install_packages python3-pip
  install_packages & packages=$!
  install_torch
  install_torch_cuda
  wait "$packages"
fi
