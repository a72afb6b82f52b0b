#!/usr/bin/env python3
"""Reference values for tests/data, computed by Pillow and torchvision themselves.

Needs: pip install pillow numpy xxhash, and a torchvision wheel unpacked somewhere (only the text of its
RandomResizedCrop.get_params is used, with our random numbers in the place of torch's).
Run: scripts/golden/data.py --torchvision FOLDER   (writes tests/data/images/* and tests/data/golden.json)
"""
import argparse
import inspect
import io
import json
import math
import pathlib
import re
import textwrap
import types
import zlib

import numpy
import xxhash
from PIL import Image

TESTS = pathlib.Path(__file__).resolve().parents[2] / "tests" / "data"


def pattern(h, w, channels=3):
    """An image that a test can make again without a file: hard edges, all values (tests/data/pattern.h)."""
    y, x, c = numpy.meshgrid(numpy.arange(h), numpy.arange(w), numpy.arange(channels), indexing="ij")
    return (((x * 13 + y * 7 + c * 85) ^ (x * y * 5 >> 2)) & 255).astype(numpy.uint8)


def smooth(h, w, channels=3):
    """Kinder to lossy codecs."""
    y, x, c = numpy.meshgrid(numpy.arange(h), numpy.arange(w), numpy.arange(channels), indexing="ij")
    return (127 + 90 * numpy.sin(x / 5 + c) + 37 * numpy.cos(y / 3 - c)).astype(numpy.uint8)


def planes(image):
    return numpy.ascontiguousarray(numpy.asarray(image).transpose(2, 0, 1))


def summary(array):
    return {"crc": zlib.crc32(array.tobytes()), "first": array.reshape(-1)[:6].tolist()}


def resizes():
    filters = {"bilinear": Image.BILINEAR, "bicubic": Image.BICUBIC}
    sizes = [(28, 28, 32, 32), (375, 500, 192, 192), (40, 30, 40, 17), (33, 50, 64, 50), (64, 64, 64, 64), (7, 5, 48, 96),
             (3, 200, 16, 16), (1, 1, 8, 8), (300, 300, 2, 3), (61, 67, 60, 66), (96, 96, 219, 219)]
    for h, w, out_h, out_w in sizes:
        image = Image.fromarray(pattern(h, w))
        for name, kind in filters.items():
            for top, left, crop_h, crop_w in [(0, 0, h, w), (h // 5, w // 3, h - h // 3, w - w // 2)]:
                crop = image.crop((left, top, left + crop_w, top + crop_h))
                out = planes(crop.resize((out_w, out_h), kind))
                yield {"h": h, "w": w, "crop": [top, left, crop_h, crop_w], "out": [out_h, out_w], "filter": name,
                       **summary(out)}


def evaluations():
    """SimMIM data_finetune.py:97-113 with torchvision's Resize and CenterCrop: short side, then the centre."""
    for h, w, size, share in [(375, 500, 192, 0.875), (500, 375, 224, 0.875), (28, 28, 32, 1.0), (97, 64, 32, 0.875), (333, 500, 96, 0.7)]:
        side = int(size / share)
        new_w, new_h = (side, int(side * h / w)) if w <= h else (int(side * w / h), side)
        image = Image.fromarray(pattern(h, w))
        if (w, h) != (new_w, new_h):
            image = image.resize((new_w, new_h), Image.BICUBIC)
        top, left = int(round((new_h - size) / 2.0)), int(round((new_w - size) / 2.0))
        out = planes(image.crop((left, top, left + size, top + size)))
        yield {"h": h, "w": w, "size": size, "share": share, "box": [new_h, new_w, top, left], **summary(out)}


class Philox:
    """src/core/rng.h, so that torchvision's code can draw the numbers that ours draws."""

    def __init__(self, seed, purpose, a, b):
        key = xxhash.xxh3_64_intdigest(purpose.encode(), seed)
        self.key = [key & 0xFFFFFFFF, key >> 32]
        self.counter = [0, a & 0xFFFFFFFF, b & 0xFFFFFFFF, (a >> 32 & 0xFFFF) << 16 | (b >> 32 & 0xFFFF)]
        self.words = []

    def u32(self):
        if not self.words:
            c, k = list(self.counter), list(self.key)
            for _ in range(10):
                p0, p1 = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
                c = [(p1 >> 32) ^ c[1] ^ k[0], p1 & 0xFFFFFFFF, (p0 >> 32) ^ c[3] ^ k[1], p0 & 0xFFFFFFFF]
                k = [(k[0] + 0x9E3779B9) & 0xFFFFFFFF, (k[1] + 0xBB67AE85) & 0xFFFFFFFF]
            self.words = c
            self.counter[0] += 1
        return self.words.pop(0)

    def u64(self):
        high = self.u32()
        return high << 32 | self.u32()

    def uniform(self):
        return (self.u64() >> 11) * 2.0**-53

    def below(self, n):
        limit = 2**64 - 1 - 2**64 % n
        while True:
            draw = self.u64()
            if draw <= limit:
                return draw % n


def crops(torchvision):
    text = (torchvision / "torchvision" / "transforms" / "transforms.py").read_text()
    text = text[text.index("class RandomResizedCrop"):]
    text = re.search(r"    def get_params\(.*?\n        return i, j, h, w\n", text, re.S).group(0)
    text = re.sub(r"\) -> [^\n]*:\n", "):\n", text.replace("img: Tensor", "img"), count=1)
    rng = None

    class Number(float):
        def item(self):
            return float(self)

        def uniform_(self, low, high):
            return Number(low + (high - low) * rng.uniform())

    class Integer(int):
        def item(self):
            return int(self)

    torch = types.SimpleNamespace(
        empty=lambda n: Number(0), tensor=lambda values: values, log=lambda values: [math.log(v) for v in values],
        exp=lambda value: Number(math.exp(value)), randint=lambda low, high, size: Integer(low + rng.below(high - low)))
    space = {"math": math, "torch": torch, "F": types.SimpleNamespace(get_dimensions=lambda image: (3, *image))}
    exec(textwrap.dedent(text), space)
    cases = [(375, 500, [0.67, 1.0], [3 / 4, 4 / 3]), (32, 32, [0.08, 1.0], [3 / 4, 4 / 3]), (20, 300, [0.67, 1.0], [3 / 4, 4 / 3]),
             (300, 20, [0.67, 1.0], [3 / 4, 4 / 3]), (28, 28, [0.9, 1.0], [0.5, 2.0]), (100, 100, [1.0, 1.0], [1.5, 2.0])]
    for h, w, scale, ratio in cases:
        for index in range(6):
            rng = Philox(7, "crop", 3, index)
            top, left, crop_h, crop_w = space["get_params"]((h, w), scale, ratio)
            yield {"h": h, "w": w, "scale": scale, "ratio": ratio, "seed": 7, "epoch": 3, "index": index,
                   "crop": [top, left, crop_h, crop_w], "flip": rng.uniform() < 0.5}


def images():
    """Small files of every kind, and what Pillow's convert("RGB") makes of them."""
    folder = TESTS / "images"
    folder.mkdir(parents=True, exist_ok=True)
    rgb, h, w = smooth(29, 37), 29, 37
    alpha = pattern(h, w, 1)
    deep = (rgb.astype(numpy.uint16) << 8) | 0x80
    make = {
        "420.jpg": (Image.fromarray(rgb), {"quality": 85}),
        "444_progressive.jpg": (Image.fromarray(rgb), {"quality": 90, "subsampling": 0, "progressive": True}),
        "422.jpg": (Image.fromarray(rgb), {"quality": 80, "subsampling": 1}),
        "grey.jpg": (Image.fromarray(rgb[:, :, 0]), {"quality": 85}),
        "cmyk.jpg": (Image.fromarray(smooth(h, w, 4), "CMYK"), {"quality": 90}),
        "rgb.png": (Image.fromarray(rgb), {}),
        "rgba.png": (Image.fromarray(numpy.concatenate([rgb, alpha], 2)), {}),
        "grey_alpha.png": (Image.fromarray(numpy.concatenate([rgb[:, :, :1], alpha], 2), "LA"), {}),
        "palette.png": (Image.fromarray(rgb).quantize(16), {}),
        "one_bit.png": (Image.fromarray(rgb[:, :, 0]).convert("1"), {}),
        "lossy.webp": (Image.fromarray(rgb), {"quality": 80}),
        "rgba.webp": (Image.fromarray(numpy.concatenate([rgb, alpha], 2)), {"lossless": True}),
    }
    for name, (image, options) in make.items():
        image.save(folder / name, **options)
        yield {"file": name, "h": h, "w": w, **summary(numpy.asarray(Image.open(folder / name).convert("RGB")))}
    for name, channels in [("grey_16.png", 1), ("rgb_16.png", 3)]:  # Pillow cannot write these, so write them by hand
        rows = deep[:, :, :channels].astype(">u2")
        raw = b"".join(b"\0" + row.tobytes() for row in rows)
        chunk = lambda kind, body: len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")
        head = w.to_bytes(4, "big") + h.to_bytes(4, "big") + bytes([16, 0 if channels == 1 else 2, 0, 0, 0])
        (folder / name).write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b""))
        # Pillow clips 16-bit grey instead of scaling it; the upper byte is what its 16-bit colour gives.
        expected = numpy.repeat(rgb[:, :, :1], 3, 2) if channels == 1 else numpy.asarray(Image.open(folder / name).convert("RGB"))
        yield {"file": name, "h": h, "w": w, **summary(numpy.ascontiguousarray(expected))}


def main():
    parser = argparse.ArgumentParser(description=inspect.getdoc(inspect.getmodule(main)))
    parser.add_argument("--torchvision", type=pathlib.Path, required=True)
    options = parser.parse_args()
    parts = {"resize": resizes(), "evaluation": evaluations(), "crop": crops(options.torchvision), "image": images()}
    lines = [json.dumps(name) + ": [\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]" for name, cases in parts.items()]
    (TESTS / "golden.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
