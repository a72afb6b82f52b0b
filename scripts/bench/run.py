#!/usr/bin/env python3
"""Measures simmim and its peers in turn (A B A B) on the same machine and prints the ratios: run.py SIMMIM [--quick].

A peer process stays alive and idle while the other is measured, so that both see the same minutes of the machine.
--out FOLDER keeps the page and every number (record.py).
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

import record

HERE = pathlib.Path(__file__).resolve().parent
CASES = json.loads((HERE / "cases.json").read_text())
LOADER_GOALS = {("loader", "pil"): 2.5, ("loader", "v2"): 1.7, ("packed", "pil"): 10}  # times the peer's images/s
FINETUNE_GOAL = 1.5


def environment() -> dict:
    """That of every measured process: idle threads sleep, so that the process at rest does not disturb the other."""
    return os.environ | {"OMP_WAIT_POLICY": "passive", "TOKENIZERS_PARALLELISM": "false"}


class Peer:
    """Somebody else's code, kept ready in a process of its own: seconds in, JSON out, a line each."""

    def __init__(self, script: str, *arguments: str):
        self.process = subprocess.Popen(
            [os.environ["PEER_PYTHON"], str(HERE / script), *arguments], text=True, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment() | {"PYTHONPATH": os.environ["PEER_PATH"]})
        self.answer()

    def answer(self) -> dict:
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(self.process.stderr.read().strip().splitlines()[-1])
        return json.loads(line)

    def measure(self, seconds: float) -> float:
        self.process.stdin.write(f"{seconds}\n")
        self.process.stdin.flush()
        return self.answer()["images_per_second"]

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def ours(simmim: str, what: str, *arguments: str) -> dict:
    """One run of `simmim bench`; its JSON."""
    command = [simmim, "bench", what, *arguments, "--json"]
    result = subprocess.run(command, text=True, capture_output=True, env=environment())
    if result.returncode:
        sys.exit(f"{' '.join(command)}\n{result.stderr}")
    return json.loads(result.stdout)


def compare(row: dict, peer_arguments: list, our_arguments: list, seconds: float, rounds: int) -> dict:
    """Both in turn, `rounds` times; `row` with the medians, their ratio and our last report."""
    try:
        peer = Peer(*peer_arguments)
    except (RuntimeError, OSError) as error:
        return row | {"error": str(error)}
    reports, theirs = [], []
    for _ in range(rounds):
        reports.append(ours(*our_arguments))
        theirs.append(peer.measure(seconds))
    peer.close()
    mine = [report["images_per_second"] for report in reports]
    return row | {"ours": statistics.median(mine), "theirs": statistics.median(theirs), "ours_all": mine,
                  "theirs_all": theirs, "ratio": statistics.median(mine) / statistics.median(theirs), "report": reports[-1]}


PEERS = {"pretrain": "peer.py", "finetune": "finetune_peer.py"}
START = {"pretrain": [], "finetune": ["finetune.from=scratch"]}


def compare_step(simmim: str, stage: str, case: str, precision: str, compiled: bool, args) -> dict:
    seconds = args.seconds or (3 if args.quick else 6 if case.endswith("base") else 4)
    threads = ["--threads", str(args.threads)]
    return compare(
        {"stage": stage, "case": case, "type": precision, "peer": "compiled" if compiled else "eager",
         "goal": CASES[case]["goals"][precision] if stage == "pretrain" else FINETUNE_GOAL},
        [PEERS[stage], case, "--precision", precision, *threads, *(["--compile"] if compiled else [])],
        [simmim, "step", "device=cpu", "--stage", stage, *CASES[case]["simmim"], *START[stage],
         f"{stage}.batch_size={CASES[case]['batch']}", f"precision={precision}", *threads],
        seconds, args.rounds)


def compare_loader(simmim: str, case: str, pipeline: str, images: pathlib.Path, args) -> dict:
    """One decoding thread each, RandomResizedCrop(192) of 500 x 375 JPEGs, or ours of packed pixels made of them."""
    data = [f"data.root={packed(simmim, images)}", "data.name=tar_shards"] if case == "packed" else ["data.name=image_folder", f"data.train={images}"]
    return compare(
        {"stage": "loader", "case": case, "type": "192", "peer": f"tv {pipeline}", "goal": LOADER_GOALS[case, pipeline]},
        ["loader_peer.py", str(images), "--pipeline", pipeline, "--size", "192"],
        [simmim, "loader", "device=cpu", *data, "data.image_size=192", "data.cache=false", "data.workers=1", "encoder.preset=swin_base",
         "mask.patch=32", "pretrain.batch_size=64"],
        args.seconds or 4, args.rounds)


def packed(simmim: str, images: pathlib.Path) -> pathlib.Path:
    """The images as raw pixels of 256 a short side, made once."""
    folder = images.with_name(images.name + "-packed")
    if not folder.exists():
        subprocess.run([simmim, "data", "pack", "data.name=image_folder", f"data.train={images}", "--pixels", "256", "-o", str(folder)],
                       check=True, capture_output=True)
    return folder


def own_measurements(simmim: str, quick: bool) -> dict:
    """What has no peer: workers side by side, the start of the program, a large database."""
    own = {"sweep": ours(simmim, "sweep", *CASES["vit_nano"]["simmim"], f"pretrain.batch_size={CASES['vit_nano']['batch']}",
                         "precision=f32", "device=cpu"),
           "start": ours(simmim, "start")}
    return own if quick else own | {"database": ours(simmim, "database")}


def make_images(folder: pathlib.Path) -> bool:
    command = [os.environ["PEER_PYTHON"], str(HERE / "make_jpegs.py"), str(folder)]
    result = subprocess.run(command, text=True, capture_output=True, env=environment() | {"PYTHONPATH": os.environ["PEER_PATH"]})
    if result.returncode:
        print(f"loader not measured: {(result.stderr.strip().splitlines() or ['no images'])[-1]}")
    return result.returncode == 0


def print_row(row: dict):
    name = f"{row['stage']:<8} {row['case']:<10} {row['type']:<5} {row['peer']:<9}"
    if "error" in row:
        print(f"{name} not measured: {row['error']}", flush=True)
        return
    share = row["report"].get("share_of_peak")
    print(f"{name} {row['ours']:10.1f} {row['theirs']:10.1f} {row['ratio']:7.2f} "
          f"{f'{100 * share:.0f} %' if share else '-':>10}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("simmim")
    parser.add_argument("--quick", action="store_true", help="eager peers only, one round, short")
    parser.add_argument("--stages", nargs="*", choices=list(PEERS), default=list(PEERS))
    parser.add_argument("--cases", nargs="*", choices=list(CASES), default=list(CASES))
    parser.add_argument("--compiled", nargs="*", choices=list(CASES), default=list(CASES),
                        help="cases whose pre-training step torch.compile does too, one to five minutes each; --quick: none")
    parser.add_argument("--precisions", nargs="*", choices=["f32", "bf16"], default=["f32", "bf16"])
    parser.add_argument("--threads", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--seconds", type=float, default=None, help="of each measurement of a peer")
    parser.add_argument("--rounds", type=int, default=None)
    parser.add_argument("--images", type=pathlib.Path, help="folder for the JPEGs that the loaders read; without it none")
    parser.add_argument("--out", type=pathlib.Path, help="folder for bench.md and bench.json")
    args = parser.parse_args()
    args.rounds = args.rounds or (1 if args.quick else 2)

    start, rows = time.monotonic(), []

    def add(row: dict):
        rows.append(row)
        print_row(row)

    print(f"images/s, ours and theirs, median of {args.rounds} in turn: the pre-training step beside Hugging Face transformers',\nthe "
          f"fine-tuning step beside timm's "
          f"({args.threads} threads),\nthe loader beside torchvision's (one thread)")
    print(f"{'stage':<8} {'case':<10} {'type':<5} {'peer':<9} {'ours':>10} {'theirs':>10} {'ratio':>7} {'GEMM share':>10}")
    if args.images and make_images(args.images):
        for case, pipeline in LOADER_GOALS:
            add(compare_loader(args.simmim, case, pipeline, args.images, args))
    steps = [(stage, case, False) for stage in args.stages for case in args.cases]
    if not args.quick and "pretrain" in args.stages:
        steps += [("pretrain", case, True) for case in args.cases if case in args.compiled]
    for stage, case, compiled in steps:
        for precision in args.precisions:
            add(compare_step(args.simmim, stage, case, precision, compiled, args))
    if args.out:
        record.write(args.out, args.simmim, rows, {})  # kept whatever becomes of the rest
        record.write(args.out, args.simmim, rows, own_measurements(args.simmim, args.quick))
        print(f"written: {args.out / 'bench.md'} and bench.json")
    print(f"{time.monotonic() - start:.0f} s")


if __name__ == "__main__":
    main()
