#!/usr/bin/env python3
"""Reference values for fine-tuning's augmentations, computed by Pillow, timm 0.4.12 (the official code's) and torchvision.

timm draws from our random numbers, so whole policies can be compared. Writes tests/golden/augment.json and
tests/data/images/operations.png (each operation's image, one below the other), and tests/golden/mixup.json.
Run: scripts/golden/augment.py --timm FOLDER   (timm 0.4.12 unpacked; three of its files are loaded by themselves)
"""
import argparse
import importlib.util
import inspect
import json
import math
import pathlib
import types

import numpy
import torch
from PIL import Image, ImageEnhance

import data

TESTS = data.TESTS.parent
FILL = (124, 116, 104)  # round(255 * ImageNet's mean)


class Draws(data.Philox):
    """src/core/rng.h under the names that timm's code calls."""

    def __init__(self, *stream):
        super().__init__(*stream)
        self.spare = None

    def normal(self):
        if self.spare is not None:
            spare, self.spare = self.spare, None
            return spare
        radius, angle = math.sqrt(-2 * math.log(1 - self.uniform01())), 2 * math.pi * self.uniform01()
        self.spare = radius * math.sin(angle)
        return radius * math.cos(angle)

    def uniform01(self):
        return super().uniform()

    random = uniform01

    def uniform(self, low=0.0, high=1.0):
        return low + (high - low) * self.uniform01()

    def gauss(self, mean, std):
        return mean + std * self.normal()

    def randint(self, low, high):  # both ends belong to it
        return low + self.below(high - low + 1)

    def choice(self, items, count, replace=True, p=None):
        return [items[self.below(len(items))] for _ in range(count)]

    def permutation(self, n):
        items = list(range(n))
        for i in range(n, 1, -1):
            j = self.below(i)
            items[i - 1], items[j] = items[j], items[i - 1]
        return items


def load(folder, name):
    spec = importlib.util.spec_from_file_location(name, folder / "timm" / "data" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def keep_no_bits(timm):
    """Pillow of the official code's time makes an image black that keeps 0 bits; a newer one refuses."""
    posterize = timm.posterize
    black = lambda image: image.point([0] * 768)
    for name in ("Posterize", "PosterizeIncreasing"):
        timm.NAME_TO_OP[name] = lambda image, bits, **rest: black(image) if bits == 0 else posterize(image, bits, **rest)


def inputs():
    """Two images of 20 x 24: all values with hard edges, and part of a smooth one whose blue is constant."""
    photo = numpy.asarray(Image.open(TESTS / "golden/images/img_0.png").convert("RGB"))[7:27, 5:29].copy()
    narrow = photo // 3 + 60
    narrow[:, :, 2] = 90
    return {"pattern": data.pattern(20, 24), "photo": photo, "narrow": narrow}


def operations(timm):
    """timm's 15 operations with the arguments that its levels lead to; writes the sheet."""
    angles = dict(fillcolor=FILL, resample=Image.BICUBIC)
    linear = dict(fillcolor=FILL, resample=Image.BILINEAR)
    cases = [("AutoContrast", ()), ("Equalize", ()), ("Invert", ())]
    cases += [("Rotate", (v,)) for v in (27.3, -13.7)]
    cases += [("PosterizeIncreasing", (v,)) for v in (0, 1, 3)]
    cases += [("SolarizeIncreasing", (v,)) for v in (0, 26, 200, 256)]
    cases += [("SolarizeAdd", (v,)) for v in (0, 99)]
    cases += [(name, (v,)) for name in ("ColorIncreasing", "ContrastIncreasing", "BrightnessIncreasing", "SharpnessIncreasing")
              for v in (0.1, 0.7351, 1.0, 1.8123)]
    cases += [(name, (v,)) for name in ("ShearX", "ShearY") for v in (0.2713, -0.13)]
    cases += [(name, (v,)) for name in ("TranslateXRel", "TranslateYRel") for v in (0.25, -0.3917)]
    sheet = []
    for image_name, pixels in inputs().items():
        image = Image.fromarray(pixels)
        sheet.append(pixels)
        yield {"image": image_name}
        for name, arguments in cases:
            moves = name in ("Rotate", "ShearX", "ShearY", "TranslateXRel", "TranslateYRel")
            for kwargs in ([angles, linear] if moves else [{}]):
                out = timm.NAME_TO_OP[name](image, *arguments, **dict(kwargs))
                sheet.append(numpy.asarray(out))
                yield {"op": name, "argument": arguments[0] if arguments else 0,
                       "interpolation": "bilinear" if kwargs is linear else "bicubic"}
    Image.fromarray(numpy.concatenate(sheet)).save(TESTS / "data/images/operations.png", optimize=True)


def policies(timm):
    for policy in ("rand-m9-mstd0.5-inc1", "rand-m9-n3-mstd0.5", "rand-m10-n1-inc1", "rand-m5-mstd2"):
        for index in range(24):
            rng = Draws(7, "randaugment", 3, index)
            timm.random, timm.np = rng, types.SimpleNamespace(random=rng)
            augment = timm.rand_augment_transform(policy, {"img_mean": FILL, "interpolation": Image.BICUBIC})
            image = augment(Image.fromarray(data.pattern(32, 32)))
            yield {"policy": policy, "index": index, **data.summary(data.planes(image))}


def jitters():
    """torchvision.transforms.ColorJitter on Pillow images: ImageEnhance in a random order."""
    kinds = [ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color]
    for index in range(12):
        rng = Draws(7, "color jitter", 3, index)
        amount = 0.4 if index < 9 else 1.2
        order = rng.permutation(3)
        factors = [rng.uniform(max(0, 1 - amount), 1 + amount) for _ in range(3)]
        image = Image.fromarray(data.pattern(20, 24))
        for i in order:
            image = kinds[i](image).enhance(factors[i])
        yield {"amount": amount, "index": index, **data.summary(data.planes(image))}


def erasures(timm):
    for mode, count in (("pixel", 1), ("rand", 3), ("const", 2)):
        for index in range(12):
            rng, boxes = Draws(7, "erasing", 3, index), []
            timm.random = rng

            def pixels(per_pixel, rand_color, size, **_):
                shape = size if per_pixel else (size[0], 1, 1)
                values = [rng.normal() if per_pixel or rand_color else 0.0 for _ in range(math.prod(shape))]
                boxes[-1] += [size[1], size[2], sum(values)]
                return torch.tensor(values).reshape(shape)

            class Canvas:
                def __setitem__(self, key, value):
                    boxes[-1] = [key[1].start, key[2].start] + boxes[-1]

            # The values are made before they are placed: a box is [top, left, h, w, sum of the values].
            timm._get_pixels = lambda *arguments, **names: boxes.append([]) or pixels(*arguments, **names)
            erase = timm.RandomErasing(0.6, mode=mode, max_count=count, device="cpu")
            erase._erase(Canvas(), 3, 40, 48, torch.float32)
            yield {"mode": mode, "count": count, "index": index, "boxes": boxes}


def mixes(timm):
    """timm's Mixup with given draws: lambda and, for CutMix, the centre."""
    size, classes, smoothing = 6, 5, 0.1
    x = torch.arange(4 * 3 * size * size, dtype=torch.float64).mul(0.37).sin().reshape(4, 3, size, size)
    labels = torch.tensor([3, 0, 4, 4])
    for cut, lam, centre in [(False, 0.7, None), (False, 0.03, None), (True, 0.6, (3, 2)), (True, 0.1, (0, 5)), (True, 0.999, (2, 2))]:
        draws = iter([0.0, 0.0 if cut else 1.0])  # mixed; which of the two
        places = iter(centre or ())
        timm.np = types.SimpleNamespace(sqrt=numpy.sqrt, clip=numpy.clip, random=types.SimpleNamespace(
            rand=lambda: next(draws), beta=lambda a, b: lam, randint=lambda low, high, size: next(places)))
        mixup = timm.Mixup(mixup_alpha=0.8, cutmix_alpha=1.0, prob=1.0, switch_prob=0.5, mode="batch",
                           label_smoothing=smoothing, num_classes=classes)
        mixed = x.clone()
        used = mixup._mix_batch(mixed)
        targets = timm.mixup_target(labels, classes, used, smoothing, device="cpu")
        yield {"cut": cut, "lambda": lam, "centre": centre, "used": used, "labels": labels.tolist(),
               "targets": [[float(f"{v:.7g}") for v in row] for row in targets.tolist()], "images": mixed.flatten().tolist()}


def write(path, parts):
    lines = [json.dumps(name) + ": [\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]" for name, cases in parts.items()]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def main():
    parser = argparse.ArgumentParser(description=inspect.getdoc(inspect.getmodule(main)))
    parser.add_argument("--timm", type=pathlib.Path, required=True)
    folder = parser.parse_args().timm
    augment = load(folder, "auto_augment")
    keep_no_bits(augment)
    write(TESTS / "golden/augment.json", {"operations": list(operations(augment)), "policies": list(policies(augment)),
                                        "jitter": list(jitters()), "erasing": list(erasures(load(folder, "random_erasing")))})
    write(TESTS / "golden/mixup.json", {"mixes": list(mixes(load(folder, "mixup")))})


if __name__ == "__main__":
    main()
