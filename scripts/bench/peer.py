#!/usr/bin/env python3
"""A training step of Hugging Face transformers, measured on demand: peer.py CASE --precision f32|bf16 [--compile].

Step = forward, backward, clip of the gradient norm, fused AdamW, on a batch that is already in memory: what
`simmim bench step` does. Reads one number of seconds a line, answers with one JSON object a line.
"""
import argparse
import json
import pathlib
import statistics
import sys
import time
import warnings

import torch


def build(case: dict) -> torch.nn.Module:
    options = dict(case["peer"])
    kind = options.pop("kind")
    shared = {"image_size": case["image"], "patch_size": case["patch"]}
    if kind == "swin":
        return SwinForMaskedImageModeling(SwinConfig(**options, **shared, drop_path_rate=0.0))
    return ViTForMaskedImageModeling(ViTConfig(**options, **shared))


def masks(case: dict, ratio: float = 0.6) -> torch.Tensor:
    """(B, tokens) bool: 60 % of the mask patches, drawn a sample, on the encoder's patch grid."""
    batch, cells = case["batch"], case["image"] // case["mask_patch"]
    hidden = round(cells * cells * ratio)
    rank = torch.rand(batch, cells * cells).argsort(1).argsort(1)
    mask = (rank < hidden).view(batch, cells, cells)
    repeat = case["mask_patch"] // case["patch"]
    return mask.repeat_interleave(repeat, 1).repeat_interleave(repeat, 2).flatten(1)


def arguments() -> tuple[dict, argparse.Namespace]:
    parser = argparse.ArgumentParser()
    parser.add_argument("case")
    parser.add_argument("--precision", choices=["f32", "bf16"], default="f32")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    return json.loads(pathlib.Path(__file__).with_name("cases.json").read_text())[args.case], args


def serve(case: dict, args: argparse.Namespace, build, make_loss) -> None:
    """Measures steps on demand: build(case) -> model; make_loss(case) -> a function of the model that gives its loss."""
    warnings.filterwarnings("ignore")
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    model = build(case).train()
    loss_of = make_loss(case)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, weight_decay=0.05, fused=True)
    run = torch.compile(model) if args.compile else model

    def step() -> float:
        start = time.perf_counter()
        with torch.autocast("cpu", torch.bfloat16, enabled=args.precision == "bf16"):
            loss = loss_of(run)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        return time.perf_counter() - start

    start = time.perf_counter()
    for _ in range(2):
        step()
    print(json.dumps({"ready": True, "first_steps_seconds": time.perf_counter() - start}), flush=True)
    for line in sys.stdin:
        stop = time.perf_counter() + float(line)
        times = [step(), step()]
        while time.perf_counter() < stop:
            times.append(step())
        print(json.dumps({"images_per_second": case["batch"] / statistics.median(times), "steps": len(times)}), flush=True)


def images(case: dict) -> torch.Tensor:
    return torch.randn(case["batch"], 3, case["image"], case["image"])


def pretraining(case: dict):
    batch, mask = images(case), masks(case)
    return lambda model: model(pixel_values=batch, bool_masked_pos=mask).loss


if __name__ == "__main__":
    # transformers alone: finetune_peer.py, which uses the rest, needs none of it.
    from transformers import SwinConfig, SwinForMaskedImageModeling, ViTConfig, ViTForMaskedImageModeling

    serve(*arguments(), build, pretraining)
