"""Every simmim command of README.md runs: readme_test.py PROGRAM SOURCE_FOLDER. Those under mpirun do where it is.

The commands are taken from the sh blocks, in order, in an empty folder; those that train get fewer images and a smaller
model, so that all of them take seconds.
"""
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

SMALLER = ("data.limit=1200 encoder.dim=16 encoder.depth=1 encoder.heads=2 pretrain.epochs=1 pretrain.warmup_epochs=0.1 "
           "pretrain.batch_size=64 finetune.epochs=1 finetune.warmup_epochs=0.1 finetune.batch_size=64 probe.epochs=1").split()
SMALLER_TOKENIZER = "data.limit=1200 dvae.hidden=8 dvae.steps=20 dvae.warmup_steps=5".split()
TRAINS = {"pretrain", "finetune", "probe", "sweep"}


def commands(text):
    for block in re.findall(r"^```sh\n(.*?)^```", text, re.S | re.M):
        for line in block.splitlines():
            if line.startswith(("simmim ", "mpirun ")):
                yield shlex.split(line, comments=True)


def main():
    program, source = (os.path.abspath(path) for path in sys.argv[1:3])
    with open(os.path.join(source, "README.md"), encoding="utf-8") as file:
        found = list(commands(file.read()))
    if len(found) < 10:
        sys.exit(f"README.md has {len(found)} commands in its sh blocks; expected at least 10")
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for name in ("sweeps", "tests"):
            os.symlink(os.path.join(source, name), os.path.join(folder, name))
        has_mpi = shutil.which("mpirun") and os.path.exists(os.path.join(os.path.dirname(program), "libsimmim_mpi.so"))
        # More processes than cores, by root: what mpirun refuses a user who has not thought about it.
        for name in ("ALLOW_RUN_AS_ROOT", "ALLOW_RUN_AS_ROOT_CONFIRM", "MCA_rmaps_base_oversubscribe"):
            os.environ["OMPI_" + name] = "1"
        for words in found:
            launcher = words[:words.index("simmim")]
            if launcher and not has_mpi:
                print(f"skip {shlex.join(words)}: no MPI here")
                continue
            words = words[len(launcher):]
            extra = SMALLER if words[1] in TRAINS else SMALLER_TOKENIZER if "train-dvae" in words else []
            # What stands on the command line wins over what makes it small.
            keys = {word.split("=")[0] for word in words if "=" in word}
            line = launcher + [program] + words[1:] + [word for word in extra if word.split("=")[0] not in keys]
            done = subprocess.run(line, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
            print(f"{'ok  ' if done.returncode == 0 else 'FAIL'} {shlex.join(launcher + words)}")
            if done.returncode != 0:
                failed += 1
                print(f"     exit {done.returncode}: {done.stderr.strip()[-500:]}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
