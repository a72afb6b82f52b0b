#!/usr/bin/env bash
# Set-up keeps LibTorch complete or absent. A stand-in for pip "installs" a small wheel, so that nothing is downloaded.
set -euo pipefail
scripts=$(realpath "$(dirname "$0")/../../scripts")
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
export XDG_CACHE_HOME=$PWD/cache SIMMIM_PACKAGES=no SIMMIM_CUDA=no SIMMIM_PIP=$PWD/pip
torch=$PWD/cache/simmim/torch-2.11.0
unset TORCH_DIR

cat > pip <<'PIP'
#!/usr/bin/env bash
# Writes the files of the wheels named in --requirement into --target, with their RECORDs; dies half-way with PIP_DIES.
echo call >> "$(dirname "$0")/calls"
while (($#)); do
  case $1 in --target) target=$2 ;; --requirement) list=$2 ;; esac
  shift
done
mkdir -p "$target/torch/lib" "$target/torch/include/ATen"
echo library > "$target/torch/lib/libtorch_cpu.so"
[[ -z ${PIP_DIES:-} ]] || exit 1
[[ -z ${PIP_WAITS:-} ]] || sleep 1
hash=$(python3 -c 'import base64, hashlib; print(base64.urlsafe_b64encode(hashlib.sha256(b"library\n").digest()).decode().rstrip("="))')
sed -n 's/^\([a-z]\S*\)==\(\S*\).*/\1 \2/p' "$list" | while read -r name version; do
  info=$target/${name//-/_}-$version.dist-info
  mkdir -p "$info"
  echo "torch/lib/libtorch_cpu.so,sha256=$hash,8" > "$info/RECORD"
done
PIP
chmod +x pip

fail() { echo "FAILED: $*"; exit 1; }
calls() { wc -l < calls; }
setup() { "$scripts/setup.sh" >log 2>&1; }
: > calls

if PIP_DIES=1 setup; then fail "a failed download was taken for a success"; fi
[[ ! -e $torch ]] || fail "a failed download left something behind"

setup || fail "set-up failed: $(cat log)"
[[ $(cat "$torch/torch/lib/libtorch_cpu.so") == library && ! -e $torch.partial ]] || fail "not installed"
[[ $("$scripts/setup.sh" --torch-dir) == "$torch/torch" ]] || fail "--torch-dir"
before=$(calls)
setup
[[ $(calls) == "$before" && ! -s log ]] || fail "a complete install was not left alone: $(cat log)"

rm "$torch/.torch.txt"
setup
[[ $(calls) == "$before" && -e $torch/.torch.txt ]] || fail "a complete install without marker was not adopted: $(cat log)"

rm "$torch/.torch.txt"
echo damaged > "$torch/torch/lib/libtorch_cpu.so"
setup || fail "repair failed: $(cat log)"
[[ $(cat "$torch/torch/lib/libtorch_cpu.so") == library ]] || fail "a damaged install was not repaired"

rm "$torch/torch/lib/libtorch_cpu.so"
setup
[[ -e $torch/torch/lib/libtorch_cpu.so ]] || fail "a lost library was not restored"

rm -rf "$torch"
: > calls
PIP_WAITS=1 setup & PIP_WAITS=1 "$scripts/setup.sh" 2>log2 & wait
[[ $(calls) == 1 ]] || fail "two clones at once installed $(calls) times"

mkdir -p given/lib given/include/ATen
if TORCH_DIR=$PWD/given "$scripts/setup.sh" 2>log; then fail "a TORCH_DIR without LibTorch was taken"; fi
grep -q 'TORCH_DIR=.*libtorch_cpu.so' log || fail "message: $(cat log)"
touch given/lib/libtorch_cpu.so
if TORCH_DIR=$PWD/given "$scripts/setup.sh" 2>log; then fail "another version was taken"; fi
mkdir -p given/include/torch/headeronly
echo '#define TORCH_VERSION_MINOR 11' > given/include/torch/headeronly/version.h
[[ $(TORCH_DIR=$PWD/given "$scripts/setup.sh" --torch-dir) == "$PWD/given" ]] || fail "TORCH_DIR was not used"
echo "ok"
