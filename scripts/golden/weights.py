#!/usr/bin/env python3
"""Our weights in timm and transformers, and theirs in ours: weights.py SIMMIM.

Exports the official checkpoints of tests/golden, loads them there with nothing missing and nothing left over, compares
logits and masked losses with those that simmim itself prints, then the way back from models of theirs. Prints the
largest difference of each pair; a difference above 1e-5 is an error. Writes tests/weights/files/other_names.json: names
and shapes of their tensors, which the tests compare ours with.
Needs torch, timm, transformers, safetensors, Pillow and numpy (scripts/bench/requirements.txt).
"""
import json
import math
import pathlib
import subprocess
import sys
import tempfile

import numpy
import timm
import torch
import transformers
from PIL import Image
from safetensors import safe_open
from safetensors.torch import load_file, save_file

ROOT = pathlib.Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests" / "golden"
IMAGES = [GOLDEN / "images" / f"img_{i}.png" for i in range(3)]
LIMIT = 1e-5
worst, names = {}, {}


SWINV2 = ["encoder.name=swinv2", "encoder.patch=2", "encoder.dim=16", "encoder.depths=[2,2,2,1]", "encoder.heads=[1,2,4,8]",
          "encoder.window=8", "encoder.pretrained_window=[4,4,4,4]", "data.image_size=64", "mask.patch=16", "data.mean=imagenet",
          "data.std=imagenet", "precision=f32"]


def simmim(*words):
    done = subprocess.run([PROGRAM, *map(str, words), "--json"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"simmim {' '.join(map(str, words))}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def pixels(path):
    image = torch.from_numpy(numpy.array(Image.open(path).convert("RGB"))).permute(2, 0, 1).double() / 255
    mean, std = (torch.tensor(v).double().view(3, 1, 1) for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    return ((image - mean) / std).float().unsqueeze(0)


def note(what, got, wanted):
    difference = float((torch.as_tensor(got).double() - torch.as_tensor(wanted).double()).abs().max())
    worst[what] = max(worst.get(what, 0), difference)


def exported(checkpoint, kind, folder):
    path = folder / (checkpoint.stem + "_" + kind + ("" if kind == "hf" else ".safetensors"))
    simmim("export", "--from", checkpoint, "--format", kind, "-o", path)
    return path


def load_timm(path):
    with safe_open(path, "pt") as file:
        metadata = file.metadata()
    model = timm.create_model(metadata["model"], checkpoint_path=str(path), **json.loads(metadata["model_config"]))  # strict
    return model.eval()


def load_hf(path):
    kind = getattr(transformers, json.loads((path / "config.json").read_text())["architectures"][0])
    model, report = kind.from_pretrained(path, output_loading_info=True)
    wrong = {key: value for key, value in report.items() if value}
    if wrong:
        sys.exit(f"transformers {kind.__name__} from {path}: {wrong}")
    return model.eval()


def remember(what, tensors):
    names[what] = {name: list(tensor.shape) for name, tensor in sorted(tensors.items())}


def saved_names(model, folder):
    """As transformers writes them to a file, which is not as its modules are called."""
    model.save_pretrained(folder / "again")
    return load_file(folder / "again" / "model.safetensors")


def loss_of(prediction, image, mask):
    mask = mask.repeat_interleave(image.shape[-1] // mask.shape[-1], -1).repeat_interleave(image.shape[-1] // mask.shape[-1], -2)
    return ((prediction - image).abs() * mask).sum() / (mask.sum() + 1e-5) / 3


class Masked:
    """The encoder of another program, with SimMIM's mask token and decoder around it."""

    def __init__(self, checkpoint, folder):
        ours = folder / (checkpoint.stem + "_ours.safetensors")
        simmim("export", "--from", checkpoint, "-o", ours)
        tensors = load_file(ours)
        self.token = tensors["encoder.mask_token"]
        self.weight, self.bias = tensors["decoder.0.weight"], tensors["decoder.0.bias"]

    def decode(self, features):  # (1, C, h, w)
        stride = math.isqrt(self.weight.shape[0] // 3)
        return torch.nn.functional.pixel_shuffle(torch.nn.functional.conv2d(features, self.weight, self.bias), stride)

    def timm(self, model, image, mask):
        def hide(_, __, tokens):  # (1, L, D) or (1, h, w, D)
            flat = tokens.reshape(1, -1, tokens.shape[-1])
            side = math.isqrt(flat.shape[1])
            fine = mask.repeat_interleave(side // mask.shape[-1], -1).repeat_interleave(side // mask.shape[-1], -2)
            return torch.where(fine.reshape(1, -1, 1) > 0, self.token, flat).reshape(tokens.shape)

        hook = model.patch_embed.register_forward_hook(hide)
        features = model.forward_features(image)
        hook.remove()
        if features.dim() == 3:  # Beit: the class token first
            side = math.isqrt(features.shape[1] - 1)
            features = features[:, 1:].reshape(1, side, side, -1)
        return loss_of(self.decode(features.permute(0, 3, 1, 2)), image, mask)

    def beit(self, model, image, mask):
        features = model(image, bool_masked_pos=mask.reshape(1, -1).bool()).last_hidden_state[:, 1:]
        side = math.isqrt(features.shape[1])
        return loss_of(self.decode(features.permute(0, 2, 1).reshape(1, -1, side, side)), image, mask)


def mask_of(path):
    return (torch.from_numpy(numpy.array(Image.open(path).convert("L"))) > 127).float().unsqueeze(0)


def check_torch_load(checkpoint, folder):
    """What torch.load, asked to execute nothing, makes of our .pth."""
    pth, plain = folder / "official.pth", folder / "official.safetensors"
    for path in (pth, plain):
        simmim("export", "--from", checkpoint, "--format", "simmim", "-o", path)
    got, wanted = torch.load(pth, weights_only=True)["model"], load_file(plain)
    if got.keys() != wanted.keys() or not all(torch.equal(got[name], wanted[name]) for name in got):
        sys.exit(f"{checkpoint.name}: torch.load reads other tensors from our .pth")


def swinv2_checkpoint(folder):
    """A pre-training of ours with other numbers in it: the norms of a new Swin V2 are zero."""
    run = simmim("pretrain", *SWINV2, "pretrain.steps=1", "pretrain.batch_size=8", "data.limit=64", "--out", folder / "results")
    trained = folder / "results" / "runs" / run["id"] / "final.safetensors"
    with safe_open(trained, "pt") as file:
        metadata = file.metadata()
    generator = torch.Generator().manual_seed(5)
    tensors = {name: tensor + 0.2 * torch.randn(tensor.shape, generator=generator) for name, tensor in load_file(trained).items()}
    save_file(tensors, folder / "swinv2_pretrain.safetensors", metadata)
    return folder / "swinv2_pretrain.safetensors"


def check_pretraining(checkpoint, masks, formats, folder):
    masked = Masked(checkpoint, folder)
    for kind in formats:
        path = exported(checkpoint, kind, folder)
        model = load_timm(path) if kind == "timm" else load_hf(path)
        remember(f"{kind} {checkpoint.stem}", model.state_dict() if kind == "timm" else saved_names(model, folder))
        for i, image in enumerate(IMAGES):
            mask_file = GOLDEN / "masks" / f"{masks}_{i}.png"
            ours = simmim("reconstruct", "--from", checkpoint, image, "--mask", mask_file, "-o", folder / "sheet.png")
            x, mask = pixels(image), mask_of(mask_file)
            if kind == "timm":
                loss = masked.timm(model, x, mask)
            elif checkpoint.stem.startswith("vit"):
                loss = masked.beit(model, x, mask)
            else:
                tokens = x.shape[-1] // model.config.patch_size
                fine = mask.repeat_interleave(tokens // mask.shape[-1], -1).repeat_interleave(tokens // mask.shape[-1], -2)
                loss = model(x, bool_masked_pos=fine.reshape(1, -1).bool()).loss
            note(f"{kind} {checkpoint.stem}: masked loss", loss, ours["images"][0]["loss"])


def logits(model, image):
    out = model(pixels(image))
    return (out if torch.is_tensor(out) else out.logits)[0]


def check_classifier(checkpoint, formats, folder):
    for kind in formats:
        path = exported(checkpoint, kind, folder)
        model = load_timm(path) if kind == "timm" else load_hf(path)
        remember(f"{kind} {checkpoint.stem}", model.state_dict() if kind == "timm" else saved_names(model, folder))
        ours = simmim("predict", "--from", checkpoint, *IMAGES)["images"]
        for i, image in enumerate(IMAGES):
            note(f"{kind} {checkpoint.stem}: logits", logits(model, image), ours[i]["logits"])


def randomise(model):
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in model.parameters():
            scale = 0.5 if parameter.dim() == 1 else 0.06
            parameter.copy_(parameter * (parameter.dim() == 1) + scale * torch.randn(parameter.shape, generator=generator) * 0.5)
    return model.eval()


def check_import(what, model, folder):
    """A model of theirs, saved by themselves, in ours."""
    if what.startswith("timm swinv2"):  # whose tensors do not show its sizes: as timm's files are published, in a folder
        given = folder / what
        given.mkdir()
        save_file(model.state_dict(), given / "model.safetensors")
        (given / "config.json").write_text(json.dumps({"architecture": what.split()[1]}))
    elif what.startswith("timm"):
        given = folder / "theirs.safetensors"
        save_file(model.state_dict(), given)
    else:
        given = folder / what
        model.save_pretrained(given)
    ours = folder / "imported.safetensors"
    simmim("import", given, "-o", ours)
    size = simmim("inspect", ours)["model"]["image_size"]
    image = folder / "image.png"
    Image.open(IMAGES[0]).resize((size, size), Image.BICUBIC).save(image)
    for source in (given, ours):
        got = simmim("predict", "--from", source, image, "data.eval_crop=1")["images"][0]["logits"]
        wanted = logits(model, image)
        note(f"{what} in ours: logits over their largest", torch.tensor(got).double() / wanted.abs().max(), wanted / wanted.abs().max())


def main():
    with tempfile.TemporaryDirectory() as name, torch.no_grad():
        folder = pathlib.Path(name)
        check_pretraining(GOLDEN / "vit_pretrain.pth", "vit", ["timm", "hf"], folder)
        check_pretraining(GOLDEN / "swin_pretrain.pth", "swin", ["timm"], folder)  # its last window is another: no hf
        check_pretraining(GOLDEN / "swin_p2_pretrain.pth", "vit", ["timm", "hf"], folder)
        check_pretraining(swinv2_checkpoint(folder), "vit", ["timm", "hf"], folder)
        check_classifier(GOLDEN / "vit_finetune.pth", ["timm", "hf"], folder)
        check_classifier(GOLDEN / "swin_finetune.pth", ["timm"], folder)
        for checkpoint in GOLDEN.glob("*train.pth"):
            check_torch_load(checkpoint, folder)
        swin = transformers.SwinConfig(image_size=64, patch_size=2, embed_dim=8, depths=[2, 2, 1, 1], num_heads=[1, 2, 4, 8],
                                       window_size=4, num_labels=5)
        remember("hf swin_p2_finetune", saved_names(transformers.SwinForImageClassification(swin), folder))
        check_import("timm beit_base_patch16_224", randomise(timm.create_model("beit_base_patch16_224", num_classes=10)), folder)
        check_import("timm swin_tiny_patch4_window7_224",
                     randomise(timm.create_model("swin_tiny_patch4_window7_224", num_classes=10)), folder)
        swin = transformers.SwinConfig(image_size=192, window_size=6, depths=[2, 2, 2, 2], embed_dim=48, num_heads=[2, 4, 8, 16],
                                       num_labels=10)
        check_import("hf SwinForImageClassification", randomise(transformers.SwinForImageClassification(swin)), folder)
        check_import("timm swinv2_tiny_window8_256", randomise(timm.create_model("swinv2_tiny_window8_256", num_classes=10)), folder)
        check_import("timm swinv2_base_window12to16_192to256",
                     randomise(timm.create_model("swinv2_base_window12to16_192to256", num_classes=10)), folder)
        swin = transformers.Swinv2Config(image_size=96, window_size=6, depths=[2, 2, 2], embed_dim=48, num_heads=[2, 4, 8],
                                         pretrained_window_sizes=[4, 4, 3], num_labels=10)
        check_import("hf Swinv2ForImageClassification", randomise(transformers.Swinv2ForImageClassification(swin)), folder)
        beit = transformers.BeitConfig(image_size=96, hidden_size=96, num_hidden_layers=3, num_attention_heads=3, intermediate_size=384,
                                       use_relative_position_bias=True, layer_norm_eps=1e-6, num_labels=10)
        check_import("hf BeitForImageClassification", randomise(transformers.BeitForImageClassification(beit)), folder)
    for what, difference in worst.items():
        print(f"{difference:9.2e}  {what}")
    lines = ",\n".join(f"{json.dumps(what)}: {json.dumps(tensors)}" for what, tensors in sorted(names.items()))
    (ROOT / "tests" / "weights" / "files" / "other_names.json").write_text("{\n" + lines + "\n}\n")
    if max(worst.values()) > LIMIT:
        sys.exit(f"weights: a difference above {LIMIT}")


if __name__ == "__main__":
    PROGRAM = str(pathlib.Path(sys.argv[1]).resolve())
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    main()
