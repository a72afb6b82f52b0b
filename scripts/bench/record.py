"""What `make bench` leaves behind: FOLDER/bench.md, a page to read, and bench.json with every number."""
import datetime
import json
import os
import pathlib
import platform
import shlex
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def output(*command: str, **options) -> str:
    done = subprocess.run(command, text=True, capture_output=True, check=False, cwd=ROOT, **options)
    return done.stdout.strip() if done.returncode == 0 else ""


def machine() -> dict:
    cpu = [line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo", encoding="utf-8") if line.startswith("model name")]
    return {"cpu": cpu[0] if cpu else platform.processor(), "cores": len(os.sched_getaffinity(0)),
            "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
            "system": platform.freedesktop_os_release().get("PRETTY_NAME", ""), "kernel": platform.release()}


def versions(simmim: str) -> dict:
    ours = json.loads(output(simmim, "version", "--json"))
    ask = ("import importlib.metadata as m, json; "
           "print(json.dumps({n: m.version(n) for n in ['torch', 'torchvision', 'transformers', 'timm', 'pillow']}))")
    theirs = output(sys.executable, "-c", ask, env=os.environ | {"PYTHONPATH": os.environ.get("PEER_PATH", "")})
    return {"simmim": ours["simmim"], "commit": output("git", "describe", "--always", "--dirty", "--exclude=*"),
            "compiler": ours["compiler"], **json.loads(theirs or "{}")}


def compared(rows: list) -> list:
    """One line a case and type: ours beside every peer, and the ratio to the one whose own goal is least met."""
    lines = ["| work | type | ours, images/s | peers, images/s | ratio | goal | share of GEMM rate |",
             "|---|---|---:|---|---:|---:|---:|"]
    groups = {}
    for row in rows:
        groups.setdefault((row["stage"], row["case"], row["type"]), []).append(row)
    for (stage, case, kind), group in groups.items():
        measured = [row for row in group if "ratio" in row]
        peers = ", ".join(f"{row['peer']} {row['theirs']:.1f}" if "ratio" in row else f"{row['peer']}: {row['error']}"
                          for row in group)
        if not measured:
            lines.append(f"| {stage} {case} | {kind} | not measured | {peers} | | | |")
            continue
        nearest = min(measured, key=lambda row: row["ratio"] / row.get("goal", 1))
        share, goal = nearest["report"].get("share_of_peak"), nearest.get("goal")
        lines.append(f"| {stage} {case} | {kind} | {nearest['ours']:.1f} | {peers} | "
                     f"{nearest['ratio']:.2f} ({nearest['peer']}) | {goal or ''} | {f'{100 * share:.0f} %' if share else ''} |")
    return lines


def table(rows: list) -> list:
    """Any list of flat objects as a Markdown table."""
    keys = list(rows[0])
    return [f"| {' | '.join(keys)} |", "|" + "---|" * len(keys)] + [
        "| " + " | ".join(f"{value:.4g}" if isinstance(value, float) else str(value) for value in row.values()) + " |"
        for row in rows]


def write(folder: pathlib.Path, simmim: str, rows: list, own: dict):
    """rows: comparisons (run.py); own: what `simmim bench sweep|start|database` say of themselves."""
    record = {"date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
              "command": os.environ.get("BENCH_COMMAND", shlex.join(sys.argv)), "machine": machine(), "versions": versions(simmim),
              "rows": rows, **own}
    here = record["machine"]
    page = [f"# Speed, measured {record['date']}", "",
            f"{here['cpu']}, {here['cores']} cores, {here['memory_gb']} GB, {here['system']}; "
            + ", ".join(f"{name} {version}" for name, version in record["versions"].items()) + f". By `{record['command']}`; "
            "ours and a peer in turn on the same machine, medians.", "", *compared(rows)]
    for name, title in [("sweep", "Workers of a sweep side by side (ViT nano, f32)"), ("start", "Start of the program"),
                        ("database", "A database of 10,000 runs")]:
        if own.get(name):
            page += ["", f"## {title}", "", *table(own[name])]
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in [("bench.md", "\n".join(page) + "\n"), ("bench.json", json.dumps(record, indent=1) + "\n")]:
        temporary = folder / (name + ".tmp")
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(folder / name)
