#!/usr/bin/env python3
"""A fine-tuning step of timm's ViT and Swin, measured on demand: finetune_peer.py CASE --precision f32|bf16 [--compile].

Step as in peer.py, with 1000 classes, smoothed labels and drop path, as `simmim bench step --stage finetune` has them.
timm's ViT is the plain one, with positions added to the tokens instead of ours in every attention: less work.
"""
import torch
from peer import arguments, images, serve
from timm.models.swin_transformer import SwinTransformer
from timm.models.vision_transformer import VisionTransformer

CLASSES = 1000


def build(case: dict) -> torch.nn.Module:
    o = case["peer"]
    shared = {"img_size": case["image"], "patch_size": case["patch"], "num_classes": CLASSES, "drop_path_rate": 0.1}
    if o["kind"] == "swin":
        return SwinTransformer(embed_dim=o["embed_dim"], depths=o["depths"], num_heads=o["num_heads"], window_size=o["window_size"], **shared)
    return VisionTransformer(embed_dim=o["hidden_size"], depth=o["num_hidden_layers"], num_heads=o["num_attention_heads"],
                             global_pool="avg", **shared)


def classification(case: dict):
    batch, labels = images(case), torch.arange(case["batch"]) % CLASSES
    return lambda model: torch.nn.functional.cross_entropy(model(batch).float(), labels, label_smoothing=0.1)


if __name__ == "__main__":
    serve(*arguments(), build, classification)
