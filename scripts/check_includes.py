#!/usr/bin/env python3
"""Checks which folder of src/ includes which: check_includes.py [SRC]. Prints each arrow that runs the wrong way, exits 1.

A file includes from its own folder and from levels above its own in the lists below; folders of one level are siblings
and never include one another. The front, and what the engine and the front share, stay free of LibTorch; a .cu file
never includes it (20 s instead of 1 s each).
"""
import pathlib
import re
import sys

ENGINE = [
    ["core"],
    ["runs", "weights", "data", "masks"],
    ["kernels"],
    ["layers"],
    ["encoders", "heads", "targets", "losses"],
    ["model"],
    ["config"],
    ["parallel"],
    ["train"],
    ["parity"],
    ["commands"],
    ["engine.cpp"],
]
FRONT = [["core"], ["runs", "weights", "masks"], ["sweep"], ["report"], ["cli"], ["main.cpp", "schema_main.cpp"]]
PLUGIN = [["core"], ["kernels"], ["parallel"], ["cuda", "mpi"]]
TOP = {  # headers at the top of src/, and who includes them
    "engine.h": {"sweep", "report", "cli", "main.cpp", "schema_main.cpp", "engine.cpp"},  # C functions: all that the front knows of the engine
}
TORCH_FREE = {"core", "runs", "weights", "data", "masks", "sweep", "report", "cli", "main.cpp", "schema_main.cpp", *TOP}

TORCH = re.compile(r"(torch|ATen|c10|caffe2|torchgen)/")
WHOLE_TORCH = {"torch/torch.h", "torch/all.h", "torch/extension.h", "torch/script.h"}  # 14 s and 1.3 GB a file
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)


def allowed() -> dict[str, set[str]]:
    """Folder (or file at the top of src/) -> what it may include from."""
    table: dict[str, set[str]] = {header: set() for header in TOP}
    for levels in (ENGINE, FRONT, PLUGIN):
        above: set[str] = set()
        for level in levels:
            for folder in level:
                table.setdefault(folder, set()).update(above | {folder})
            above.update(level)
    for header, users in TOP.items():
        for user in users:
            table[user].add(header)
    return table


def role(path: str) -> str:
    """The folder of src/ that a path lies in; a file at the top stands for itself."""
    return path.split("/")[0]


def wrong_arrows(src: pathlib.Path):
    table = allowed()
    files = [f for f in sorted(src.rglob("*")) if f.suffix in {".h", ".cpp", ".inl", ".cu", ".cuh"}]
    if not files:
        yield f"{src}: no source file here"
    for file in files:
        name = file.relative_to(src).as_posix()
        here = role(name)
        if here not in table:
            yield f"{name}: {here} is in no list of scripts/check_includes.py; give it its level"
            continue
        for bracket, target in INCLUDE.findall(file.read_text()):
            if TORCH.match(target):
                if here in TORCH_FREE:
                    yield f"{name} includes {target}: {here} is free of LibTorch"
                elif file.suffix in {".cu", ".cuh"}:
                    yield f"{name} includes {target}: CUDA sources are free of LibTorch"
                elif target in WHOLE_TORCH:
                    yield f"{name} includes {target}: include the narrow headers, ATen/ops/NAME.h"
            elif bracket == '"':
                if (file.parent / target).is_file():
                    target = (file.parent / target).resolve().relative_to(src.resolve()).as_posix()
                if not (src / target).is_file():
                    yield f"{name} includes {target}: no such file in src/"
                elif role(target) not in table[here]:
                    yield f"{name} includes {target}: {here} may include {', '.join(sorted(table[here]))}"


def main() -> int:
    root = pathlib.Path(__file__).resolve().parent.parent
    wrong = list(wrong_arrows(pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else root / "src"))
    for line in wrong:
        print(line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
