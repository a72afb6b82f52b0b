"""Writes tests/weights/files/: small files with the constructs that real checkpoints contain.

Run by hand with torch 2.11, numpy and safetensors installed; the files are committed, the tests need no Python.
"""
import argparse
import collections
import pathlib

import numpy
import safetensors.torch
import torch

FOLDER = pathlib.Path(__file__).parent / "files"


def state_dict():
    base = torch.arange(24, dtype=torch.float32)
    state = collections.OrderedDict()
    state["plain"] = base.reshape(2, 3, 4) / 8
    state["transposed"] = base.reshape(4, 6).t()             # strides 1, 6: value[i][j] = 6 j + i
    state["slice"] = base.reshape(4, 6)[1:3, 2:5]            # offset 8, strides 6, 1
    state["expanded"] = torch.tensor([[1.5], [-2.0]]).expand(2, 5)
    state["half"] = torch.tensor([1.0, -0.5, 65504.0, 2.0**-24]).half()
    state["bf16"] = torch.tensor([1.0, -0.5, 3.0e38, 0.1]).bfloat16()
    state["double"] = torch.tensor(0.1, dtype=torch.float64)  # no side at all
    state["empty"] = torch.zeros(0, 3)
    state["parameter"] = torch.nn.Parameter(torch.tensor([3.0, 4.0]))
    state["long"] = torch.tensor([2**40, -1])
    state["int"] = torch.tensor([1, -2], dtype=torch.int32)
    state["short"] = torch.tensor([1, -2], dtype=torch.int16)
    state["char"] = torch.tensor([1, -2], dtype=torch.int8)
    state["byte"] = torch.tensor([1, 254], dtype=torch.uint8)
    state["bool"] = torch.tensor([True, False])
    state._metadata = collections.OrderedDict({"": {"version": 1}})
    return state


def main():
    FOLDER.mkdir(exist_ok=True)
    checkpoint = {
        "state_dict": state_dict(),
        "optimizer": {"state": {0: {"exp_avg": torch.zeros(2)}}, "param_groups": [{"lr": 0.1, "params": [0]}]},
        "args": argparse.Namespace(arch="vit", lr=0.5, betas=(0.9, 0.95), resume=None),
        "epoch": 3,
        "best": 62.5,
        "amp": True,
        "note": "Zürich",
        "numpy": numpy.float64(1.5),
        "big": 2**70,
        "set": {1, 2},
        "size": torch.Size([2, 3]),
        "dtype": torch.float32,
    }
    checkpoint["itself"] = checkpoint
    torch.save(checkpoint, FOLDER / "odd.pth")
    torch.save(checkpoint, FOLDER / "odd_legacy.pth", _use_new_zipfile_serialization=False)
    torch.save(state_dict(), FOLDER / "bare_protocol4.pth", pickle_protocol=4)
    torch.save({"net": {"a": {"w": torch.ones(2)}}, "optimizer": {"w": torch.zeros(2)}}, FOLDER / "nested.pth")
    torch.save(torch.nn.Linear(2, 2), FOLDER / "module.pth")
    safetensors.torch.save_file({name: tensor.contiguous().clone() for name, tensor in state_dict().items()},
                                FOLDER / "odd.safetensors", metadata={"format": "pt"})


if __name__ == "__main__":
    main()
