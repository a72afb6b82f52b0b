#!/usr/bin/env python3
"""Reference values for the encoders in float64: Swin V2 by timm (tests/golden/swinv2.json), position embeddings resized
by torch (tests/golden/positions.json).

Needs: pip install torch timm
Run: scripts/golden/encoders.py

Weights and images are made by formulas that the tests repeat, so no weights are stored. timm rounds the log-spaced
coordinates to float32; here they are float64, which is the definition.
"""
import json
import math
import pathlib

import timm
import torch
from timm.models.swin_transformer_v2 import SwinTransformerV2

GOLDEN = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden"
ABOUT = f"timm {timm.__version__}, torch {torch.__version__.split('+')[0]}, float64; made by scripts/golden/encoders.py"
CASES = {
    # 16, 8, 4 and 2 tokens a side: shifted windows in two stages, one window in the third, a smaller one in the last.
    "plain": {"img_size": 64, "window_size": 4, "pretrained_window_sizes": (0, 0, 0, 0)},
    # As fine-tuned at a larger size: windows of 6, 6, 6 and 3 tokens, distances measured by those of pre-training.
    "larger": {"img_size": 96, "window_size": 6, "pretrained_window_sizes": (4, 4, 4, 2)},
}


def scatter(shape):
    """Values in [-1,1) without a pattern that matrix products would flatten, exact in integers."""
    count = math.prod(shape)
    i = torch.arange(count)
    return (((37 * i + 101) * i + 7 * count) % 10007).double().view(shape) / 10007 * 2 - 1


def fill(name, parameter):
    t = scatter(parameter.shape)
    if parameter.dim() == 1 and name.endswith("weight"):
        return 1 + 0.1 * t
    if name.endswith("logit_scale"):
        return math.log(10) + 3 * t  # on both sides of the largest scale, 100
    return 0.2 * t


def coordinates(window, pretrained):
    at = torch.arange(-(window - 1), window, dtype=torch.float64) * 8 / max(1, pretrained - 1)
    at = torch.sign(at) * torch.log2(at.abs() + 1) / math.log2(8)
    return torch.stack(torch.meshgrid(at, at, indexing="ij")).permute(1, 2, 0).unsqueeze(0)


def numbers(tensor):
    flat = tensor.detach().flatten()
    return {"sum": flat.sum().item(), "l2": flat.norm().item(), "first4": flat[:4].tolist(), "last4": flat[-4:].tolist()}


def swinv2():
    out = {"about": ABOUT}
    for case, sizes in CASES.items():
        model = SwinTransformerV2(patch_size=4, embed_dim=16, depths=(2, 2, 2, 2), num_heads=(1, 2, 4, 8), num_classes=10,
                                  drop_path_rate=0.0, **sizes).double()
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                parameter.copy_(fill(name.replace("head.fc.", "head."), parameter))
            for module in model.modules():
                if hasattr(module, "relative_coords_table"):
                    window, pretrained = module.window_size[0], module.pretrained_window_size[0]
                    module.relative_coords_table = coordinates(window, pretrained or window)
        side = sizes["img_size"]
        images = scatter((2, 3, side, side))
        features = model.forward_features(images)  # (B,h,w,C)
        logits = model.forward_head(features)
        loss = torch.nn.functional.cross_entropy(logits, torch.tensor([3, 7]))
        loss.backward()
        # timm names a merge after the stage it leads into, the official code after the one it ends.
        gradients = {}
        for name, parameter in model.named_parameters():
            parts = name.replace("head.fc.", "head.").split(".")
            if "downsample" in parts:
                parts[1] = str(int(parts[1]) - 1)
            gradients[".".join(parts)] = parameter.grad.norm().item()
        out[case] = {"parameters": sum(p.numel() for p in model.parameters()),
                     "features": numbers(features.permute(0, 3, 1, 2)), "logits": logits.flatten().tolist(),
                     "loss": loss.item(), "gradients": gradients}
    with torch.device("meta"):
        out["published"] = {
            f"swinv2_{size}": sum(p.numel() for p in timm.create_model(f"swinv2_{size}_{at}", num_classes=0).parameters())
            for size, at in (("tiny", "window8_256"), ("small", "window8_256"), ("base", "window8_256"),
                             ("large", "window12_192"))}
    return out


def positions():
    """Grids of 2 values a token, resized as the official code resizes absolute_pos_embed."""
    out = {"about": ABOUT}
    for src, dst in ((4, 7), (6, 4), (3, 12)):
        grid = scatter((src, src, 2)).permute(2, 0, 1).unsqueeze(0)
        resized = torch.nn.functional.interpolate(grid, size=(dst, dst), mode="bicubic", align_corners=False)
        out[f"{src}to{dst}"] = resized[0].permute(1, 2, 0).flatten().tolist()
    return out


if __name__ == "__main__":
    for name, values in (("swinv2", swinv2()), ("positions", positions())):
        (GOLDEN / f"{name}.json").write_text(json.dumps(values, indent=1) + "\n")
