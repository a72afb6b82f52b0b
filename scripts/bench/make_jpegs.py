#!/usr/bin/env python3
"""Makes the images that loaders are compared on: make_jpegs.py FOLDER [--count 768].

ImageNet-like JPEGs (500 x 375, quality 92, 4:2:0) cut out of the photographs of Debian's lomiri-wallpapers-16.04, at random
places and scales. They are smaller files than ImageNet's (about 40 against 110 kB), which favours decoding.
"""
import argparse
import pathlib
import random
import subprocess
import tempfile

from PIL import Image

PACKAGE = "lomiri-wallpapers-16.04"
DRAWN = ("umang_", "analogpattern_")  # the two that are no photographs


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--count", type=int, default=768)
    args = parser.parse_args()
    if len(list(args.folder.glob("*.jpg"))) == args.count:
        return
    args.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        subprocess.run(["apt-get", "download", PACKAGE], cwd=work, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for package in pathlib.Path(work).glob("*.deb"):
            subprocess.run(["dpkg-deb", "-x", package, work], check=True)
        photos = sorted(path for path in pathlib.Path(work).glob("usr/share/backgrounds/*.jpg") if not path.name.startswith(DRAWN))
        draw = random.Random(0)
        for number in range(args.count):
            if number * len(photos) // args.count != (number - 1) * len(photos) // args.count:
                photo = Image.open(photos[number * len(photos) // args.count]).convert("RGB")
            scale = draw.uniform(1, min(photo.width / 500, photo.height / 375))
            width, height = int(500 * scale), int(375 * scale)
            left, top = draw.randint(0, photo.width - width), draw.randint(0, photo.height - height)
            crop = photo.resize((500, 375), Image.BICUBIC, box=(left, top, left + width, top + height))
            crop.save(args.folder / f"{number:05}.jpg", quality=92)


if __name__ == "__main__":
    main()
