#!/usr/bin/env python3
"""Reference values for tests/targets, computed by PyTorch and NumPy from the published definitions.

Needs: pip install torch numpy. Run: scripts/golden/targets.py   (writes tests/targets/golden.json)
"""
import json
import pathlib

import numpy
import torch
import torch.nn.functional as F

OUT = pathlib.Path(__file__).resolve().parents[2] / "tests" / "targets" / "golden.json"
SIDE = 64


def images():
    """(2,3,64,64), made again by the test: smooth, with flat areas where the variance is next to nothing."""
    i = torch.arange(2 * 3 * SIDE * SIDE, dtype=torch.float64)
    return (1.5 * torch.sin(0.37 * i) * torch.sin(0.0011 * i)).clamp(-0.9, 1.2).view(2, 3, SIDE, SIDE)


def patch_normalised(x, p):
    """facebookresearch/mae models_mae.py: patchify, then mean and unbiased variance of each row."""
    n = SIDE // p
    rows = torch.einsum("nchpwq->nhwpqc", x.reshape(2, 3, n, p, n, p)).reshape(2, n * n, p * p * 3)
    rows = (rows - rows.mean(dim=-1, keepdim=True)) / (rows.var(dim=-1, keepdim=True) + 1e-6) ** 0.5
    return torch.einsum("nhwpqc->nchpwq", rows.reshape(2, n, n, p, p, 3)).reshape(x.shape)


def window_normalised(x, k):
    """microsoft/Swin-Transformer models/simmim.py: norm_targets."""

    def pool(values, include_pad):
        return F.avg_pool2d(values, kernel_size=k, stride=1, padding=k // 2, count_include_pad=include_pad)

    mean, square = pool(x, False), pool(x**2, False)
    count = pool(torch.ones_like(x), True) * k**2
    variance = torch.clamp((square - mean**2) * (count / (count - 1)), min=0)
    return (x - mean) / (variance + 1e-6) ** 0.5


def nearest(colors, centers):
    """openai/image-gpt src/utils.py: color_quantize, by the plain squared distance."""
    return numpy.square(colors[:, None, :] - centers[None]).sum(-1).argmin(1)


def summary(x):
    flat = x.reshape(-1)
    return {"sum": float(flat.sum()), "squares": float((flat**2).sum()), "every_509th": flat[::509].tolist()}


def main():
    x = images()
    random = numpy.random.default_rng(0)
    centers = random.uniform(-1, 1, (16, 3)).astype("float32")
    colors = random.integers(0, 256, (64, 3))
    golden = {
        "patch": {str(p): summary(patch_normalised(x, p)) for p in (4, 16, 32)},
        "window": {str(k): summary(window_normalised(x, k)) for k in (3, 15, 47)},
        "clusters": {
            "centers": centers.tolist(),
            "colors": colors.tolist(),
            "nearest": nearest(colors / 127.5 - 1, centers.astype("float64")).tolist(),
        },
    }
    OUT.write_text(json.dumps(golden, indent=1) + "\n")


if __name__ == "__main__":
    main()
