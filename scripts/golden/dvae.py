#!/usr/bin/env python3
"""Reference values for the discrete VAE: small files in DALL-E's layouts and what plain PyTorch computes from them.

A restatement of the definition that openai/DALL-E publishes (dall_e/encoder.py, decoder.py, utils.py): the same modules,
names and attributes, so that a module pickled whole has the layout of the published encoder.pkl.
Needs: pip install torch safetensors. Writes tests/targets/files/ and tests/targets/dvae.json.
"""
import collections
import json
import math
import pathlib
import sys
import types

import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional

TESTS = pathlib.Path(__file__).resolve().parents[2] / "tests" / "targets"


class Conv2d(nn.Module):
    def __init__(self, n_in, n_out, kw):
        super().__init__()
        self.n_in, self.n_out, self.kw, self.device = n_in, n_out, kw, torch.device("cpu")
        self.w = nn.Parameter(torch.randn(n_out, n_in, kw, kw) / math.sqrt(n_in * kw**2))
        self.b = nn.Parameter(torch.randn(n_out) * 0.1)

    def forward(self, x):
        return functional.conv2d(x, self.w, self.b, padding=(self.kw - 1) // 2)


class Block(nn.Module):
    def __init__(self, n_in, n_out, n_layers, sides):
        super().__init__()
        n_hid = n_out // 4
        self.post_gain = 1 / n_layers**2
        self.id_path = Conv2d(n_in, n_out, 1) if n_in != n_out else nn.Identity()
        widths = [n_in, n_hid, n_hid, n_hid, n_out]
        self.res_path = nn.Sequential(collections.OrderedDict(
            layer for i in range(4) for layer in [(f"relu_{i + 1}", nn.ReLU()),
                                                  (f"conv_{i + 1}", Conv2d(widths[i], widths[i + 1], sides[i]))]))

    def forward(self, x):
        return self.id_path(x) + self.post_gain * self.res_path(x)


def stack(first, widths, n_blocks, sides, between, last):
    """widths: of the groups' input and then of each group."""
    groups, n = [("input", first)], (len(widths) - 1) * n_blocks
    for g in range(1, len(widths)):
        blocks = [(f"block_{b + 1}", Block(widths[g - 1] if b == 0 else widths[g], widths[g], n, sides))
                  for b in range(n_blocks)]
        groups.append((f"group_{g}", nn.Sequential(collections.OrderedDict(
            blocks + ([between] if g + 1 < len(widths) else [])))))
    groups.append(("output", nn.Sequential(collections.OrderedDict([("relu", nn.ReLU()), ("conv", last)]))))
    return nn.Sequential(collections.OrderedDict(groups))


class Encoder(nn.Module):
    def __init__(self, group_count, n_hid, n_blk_per_group, vocab_size):
        super().__init__()
        self.group_count, self.n_hid, self.n_blk_per_group = group_count, n_hid, n_blk_per_group
        self.input_channels, self.vocab_size = 3, vocab_size
        widths = [n_hid] + [n_hid * 2**g for g in range(group_count)]
        self.blocks = stack(Conv2d(3, n_hid, 7), widths, n_blk_per_group, [3, 3, 3, 1], ("pool", nn.MaxPool2d(2)),
                            Conv2d(widths[-1], vocab_size, 1))

    def forward(self, pixels):
        return self.blocks(0.8 * pixels + 0.1)


class Decoder(nn.Module):
    def __init__(self, group_count, n_init, n_hid, n_blk_per_group, vocab_size):
        super().__init__()
        widths = [n_init] + [n_hid * 2**g for g in reversed(range(group_count))]
        self.blocks = stack(Conv2d(vocab_size, n_init, 1), widths, n_blk_per_group, [1, 3, 3, 3],
                            ("upsample", nn.Upsample(scale_factor=2, mode="nearest")), Conv2d(n_hid, 6, 1))

    def forward(self, codes):
        return self.blocks(codes)


def spread(encoder):
    """Initial logits hardly differ from place to place, so that every place has one token: the means are taken out."""
    encoder.blocks.output.conv.b.sub_(encoder(torch.rand(16, 3, 16, 16)).mean((0, 2, 3)))
    return encoder


def as_published(*classes):
    """Where the published classes live: what a pickle remembers of them."""
    for cls in classes:
        name = {"Conv2d": "dall_e.utils", "Block": "dall_e.encoder"}.get(cls.__name__, f"dall_e.{cls.__name__.lower()}")
        module = sys.modules.setdefault(name, types.ModuleType(name))
        cls.__name__ = cls.__qualname__ = "EncoderBlock" if cls.__name__ == "Block" else cls.__name__
        cls.__module__ = name
        setattr(module, cls.__name__, cls)
    sys.modules.setdefault("dall_e", types.ModuleType("dall_e"))


def images(n, side):
    i = torch.arange(n * 3 * side * side, dtype=torch.float64)
    return ((0.7 * i).sin() * 0.5 + 0.5).view(n, 3, side, side)


def save_legacy(encoder, file):
    """As torch before 1.6 did. It names storages by their addresses, so the file is kept while its weights are the same."""
    if file.exists():
        kept = torch.load(file, weights_only=False).state_dict()
        new = encoder.state_dict()
        if kept.keys() == new.keys() and all(torch.equal(kept[name], new[name]) for name in new):
            return
    torch.save(encoder, file, _use_new_zipfile_serialization=False)


def main():
    torch.manual_seed(0)
    as_published(Conv2d, Block, Encoder, Decoder)
    files = TESTS / "files"
    files.mkdir(parents=True, exist_ok=True)
    golden = {}
    with torch.no_grad():
        whole = spread(Encoder(4, 4, 1, 12))
        torch.save(whole, files / "encoder.pkl")
        golden["encoder.pkl"] = {"side": 16, "logits": whole.double()(images(2, 16)).flatten().tolist()}

        old = spread(Encoder(2, 4, 1, 5))
        save_legacy(old, files / "encoder_legacy.pkl")
        golden["encoder_legacy.pkl"] = {"side": 8, "logits": old.double()(images(1, 8)).flatten().tolist()}

        encoder, decoder = spread(Encoder(3, 4, 2, 6)), Decoder(3, 5, 4, 2, 6)
        tensors = dict(encoder.state_dict())
        tensors.update({"decoder." + name: tensor for name, tensor in decoder.state_dict().items()})
        save_file(tensors, files / "dvae.safetensors")
        logits = encoder.double()(images(2, 8))
        soft = logits.softmax(1)
        hard = functional.one_hot(logits.argmax(1), 6).permute(0, 3, 1, 2).double()
        golden["dvae.safetensors"] = {
            "side": 8,
            "logits": logits.flatten().tolist(),
            "tokens": logits.argmax(1).flatten().tolist(),
            "decoded": decoder.double()(soft).flatten().tolist()[::7],
            "pixels": ((decoder(hard)[:, :3].sigmoid() - 0.1) / 0.8).clamp(0, 1).flatten().tolist()[::5],
        }
    (TESTS / "dvae.json").write_text(json.dumps(golden) + "\n")


if __name__ == "__main__":
    main()
