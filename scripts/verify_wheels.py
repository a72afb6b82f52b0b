#!/usr/bin/env python3
"""Compares the wheels installed in a folder with their own lists: verify_wheels.py FOLDER NAME==VERSION...

Each wheel's RECORD gives path, sha256 and size of every file it brought. Prints the first difference and exits 1.
"""
import base64
import csv
import hashlib
import pathlib
import sys


def sha256(path: pathlib.Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 22):
            digest.update(block)
    return base64.urlsafe_b64encode(digest.digest()).rstrip(b"=").decode()


def difference(folder: pathlib.Path, name: str, version: str) -> str | None:
    record = folder / f"{name.replace('-', '_')}-{version}.dist-info" / "RECORD"
    if not record.is_file():
        return f"{record} is missing"
    for path, digest, size in csv.reader(record.open(newline="")):
        if not digest or path.startswith(".."):  # byte code, scripts
            continue
        file = folder / path
        if not file.is_file():
            return f"{file} is missing"
        if file.stat().st_size != int(size) or sha256(file) != digest.removeprefix("sha256="):
            return f"{file} differs from its wheel's"
    return None


def main() -> int:
    folder = pathlib.Path(sys.argv[1])
    for requirement in sys.argv[2:]:
        found = difference(folder, *requirement.split("=="))
        if found:
            print(found)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
