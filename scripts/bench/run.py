#!/usr/bin/env python3
"""Measures simmim and its peers in turn (A B A B) on the same machine and prints the ratios: run.py SIMMIM [--quick].

A peer process stays alive and idle while the other is measured, so that both see the same minutes of the machine.
--json FILE keeps every number.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
CASES = json.loads((HERE / "cases.json").read_text())


def environment() -> dict:
    """That of every measured process: idle threads sleep, so that the process at rest does not disturb the other."""
    return os.environ | {"OMP_WAIT_POLICY": "passive", "TOKENIZERS_PARALLELISM": "false"}


class Peer:
    """A training step of transformers, kept ready in a process of its own."""

    def __init__(self, case: str, precision: str, compiled: bool, threads: int):
        command = [os.environ["PEER_PYTHON"], str(HERE / "peer.py"), case, "--precision", precision, "--threads", str(threads)]
        self.process = subprocess.Popen(
            command + (["--compile"] if compiled else []), text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, env=environment() | {"PYTHONPATH": os.environ["PEER_PATH"]})
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


def ours(simmim: str, case: str, precision: str, threads: int) -> dict:
    """One run of `simmim bench step`; its JSON."""
    command = [simmim, "bench", "step", *CASES[case]["simmim"], f"pretrain.batch_size={CASES[case]['batch']}",
               f"precision={precision}", "device=cpu", "--threads", str(threads), "--json"]
    result = subprocess.run(command, text=True, capture_output=True, env=environment())
    if result.returncode:
        sys.exit(f"{' '.join(command)}\n{result.stderr}")
    return json.loads(result.stdout)


def compare(simmim: str, case: str, precision: str, compiled: bool, seconds: float, args) -> dict:
    """Both in turn, args.rounds times; medians and their ratio."""
    row = {"case": case, "precision": precision, "peer": "compiled" if compiled else "eager"}
    try:
        peer = Peer(case, precision, compiled, args.threads)
    except (RuntimeError, OSError) as error:
        return row | {"error": str(error)}
    mine, theirs, reports = [], [], []
    for _ in range(args.rounds):
        reports.append(ours(simmim, case, precision, args.threads))
        mine.append(reports[-1]["images_per_second"])
        theirs.append(peer.measure(seconds))
    peer.close()
    return row | {"ours": statistics.median(mine), "theirs": statistics.median(theirs), "ours_all": mine,
                  "theirs_all": theirs, "ratio": statistics.median(mine) / statistics.median(theirs), "report": reports[-1]}


def print_row(row: dict):
    name = f"{row['case']:<10} {row['precision']:<5} {row['peer']:<9}"
    if "error" in row:
        print(f"{name} not measured: {row['error']}", flush=True)
        return
    report = row["report"]
    share = f"{100 * report['share_of_peak']:6.0f} %" if report.get("share_of_peak") else "       -"
    print(f"{name} {row['ours']:10.1f} {row['theirs']:10.1f} {row['ratio']:7.2f} {share}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("simmim")
    parser.add_argument("--quick", action="store_true", help="eager peers only, one round, short")
    parser.add_argument("--cases", nargs="*", choices=list(CASES), default=list(CASES))
    parser.add_argument("--precisions", nargs="*", choices=["f32", "bf16"], default=["f32", "bf16"])
    parser.add_argument("--threads", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--seconds", type=float, default=None, help="of each measurement of a peer")
    parser.add_argument("--rounds", type=int, default=None)
    parser.add_argument("--json", type=pathlib.Path)
    args = parser.parse_args()
    args.rounds = args.rounds or (1 if args.quick else 2)

    start, rows = time.monotonic(), []
    print("images/s of a pre-training step, ours and Hugging Face transformers' "
          f"({args.threads} threads, median of {args.rounds} in turn)")
    print(f"{'case':<10} {'type':<5} {'peer':<9} {'ours':>10} {'theirs':>10} {'ratio':>7} {'GEMM share':>8}")
    for compiled in [False] if args.quick else [False, True]:
        for case in args.cases:
            for precision in args.precisions:
                seconds = args.seconds or (3 if args.quick else 6 if case.endswith("base") else 4)
                rows.append(compare(args.simmim, case, precision, compiled, seconds, args))
                print_row(rows[-1])
    print(f"{time.monotonic() - start:.0f} s")
    if args.json:
        args.json.write_text(json.dumps({"threads": args.threads, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
