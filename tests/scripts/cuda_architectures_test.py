#!/usr/bin/env python3
"""The CUDA plug-in holds machine code for sm_80 and sm_90, and PTX for what comes after: cuda_architectures_test.py LIBRARY.

Reads the containers that nvcc puts into a library (magic number, then entries of code, each with its kind and architecture)
itself, since cuobjdump is not part of every toolkit.
"""
import pathlib
import struct
import sys

MAGIC, PTX, MACHINE_CODE = 0xBA55ED50, 1, 2


def entries(data: bytes):
    """(kind, architecture) of every piece of device code."""
    start = data.find(struct.pack("<I", MAGIC))
    while start >= 0:
        header, size = struct.unpack_from("<HQ", data, start + 6)
        at, end = start + header, start + header + size
        while at < end:
            kind, _, entry_header, entry_size = struct.unpack_from("<HHIQ", data, at)
            yield kind, struct.unpack_from("<I", data, at + 28)[0]
            at += entry_header + entry_size
        start = data.find(struct.pack("<I", MAGIC), end)


def main() -> None:
    found = set(entries(pathlib.Path(sys.argv[1]).read_bytes()))
    wanted = {(MACHINE_CODE, 80), (MACHINE_CODE, 90), (PTX, 90)}
    if found != wanted:
        sys.exit(f"{sys.argv[1]}: holds (kind, architecture) {sorted(found)}, wanted {sorted(wanted)}")


if __name__ == "__main__":
    main()
