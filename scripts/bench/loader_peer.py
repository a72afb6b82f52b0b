#!/usr/bin/env python3
"""torchvision's loading of an image, measured on demand: loader_peer.py FOLDER --pipeline pil|v2 [--size 192].

File -> RandomResizedCrop(size, scale (0.67, 1)), flip, normalised float tensor, on one thread: a DataLoader's worker. `pil`
decodes and resamples with Pillow (the official SimMIM's way), `v2` decodes with Pillow and resamples uint8 tensors, which
torchvision recommends for speed. Reads one number of seconds a line, answers with one JSON object a line.
"""
import argparse
import json
import pathlib
import sys
import time

import torch
from PIL import Image
from torchvision import transforms
from torchvision.transforms import v2

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def pipeline(name, size):
    if name == "pil":
        return transforms.Compose([transforms.RandomResizedCrop(size, scale=(0.67, 1.0)), transforms.RandomHorizontalFlip(),
                                   transforms.ToTensor(), transforms.Normalize(MEAN, STD)])
    return v2.Compose([v2.PILToTensor(), v2.RandomResizedCrop(size, scale=(0.67, 1.0), antialias=True), v2.RandomHorizontalFlip(),
                       v2.ToDtype(torch.float32, scale=True), v2.Normalize(MEAN, STD)])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--pipeline", choices=["pil", "v2"], required=True)
    parser.add_argument("--size", type=int, default=192)
    args = parser.parse_args()
    torch.set_num_threads(1)
    paths = sorted(args.folder.glob("*.jpg"))
    transform = pipeline(args.pipeline, args.size)

    def load(path):
        with open(path, "rb") as file:
            return transform(Image.open(file).convert("RGB"))

    for path in paths[:8]:
        load(path)
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        seconds, done, start = float(line), 0, time.perf_counter()
        while time.perf_counter() - start < seconds:
            load(paths[done % len(paths)])
            done += 1
        print(json.dumps({"images_per_second": done / (time.perf_counter() - start)}), flush=True)


if __name__ == "__main__":
    main()
