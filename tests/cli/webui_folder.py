"""A stable-diffusion-webui folder in small: the shipped starter, random models that fit it, pictures and words."""

from pathlib import Path

import torch
from diffusers import ControlNetModel
from PIL import Image, ImageDraw
from safetensors.torch import load_file
from torch import nn

from inference.weights.load import load_part
from inference.weights.save import save_tensors
from inference.weights.single_file import checkpoint_parts
from modelhub import starter
from modelhub.families import family
from modelhub.headers import read_table
from tests import tiny
from tests.inference.adapters.hypernetworks import write_converted
from tests.upscalers import compact, write_upscaler

__all__ = ["write_webui"]

_STYLES = 'name,prompt,negative_prompt\nflat icon,"{prompt}, flat style",photo\nbright,bright colours,\n'
_TO_K = {"lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k": (64, 128)}
_SD1 = {"modelhub.family": "sd1"}


def write_webui(root: Path) -> Path:
    """Models where webui keeps them, beside them ``styles.csv``, ``wildcards``, and two ``pictures``."""
    models = root / "models"
    for name in ("Stable-diffusion", "Lora", "hypernetworks", "ControlNet", "ESRGAN"):
        (models / name).mkdir(parents=True)
    (models / "Stable-diffusion" / "starter.safetensors").symlink_to(starter.CHECKPOINT)
    _write_tuned(models / "Stable-diffusion" / "tuned.safetensors")
    tiny.write_lora(models / "Lora" / "ink.safetensors", _TO_K, alpha=0.1)
    _write_hypernetwork(models / "hypernetworks" / "wax.safetensors")
    _write_net(models / "ControlNet" / "lines.safetensors")
    write_upscaler(models / "ESRGAN" / "sharp.safetensors", _gentle(compact(scale=2)))
    _write_words(root)
    _write_pictures(root / "pictures")
    return root


def _write_tuned(path: Path) -> None:
    """The starter, a little changed in one place."""
    torch.manual_seed(1)
    tensors = load_file(starter.CHECKPOINT)
    name = "model.diffusion_model.middle_block.1.transformer_blocks.0.attn2.to_k.weight"
    tensors[name] = tensors[name] + 0.02 * torch.randn(tensors[name].shape).to(tensors[name].dtype)
    save_tensors(path, tensors, _metadata())


def _metadata() -> dict[str, str]:
    return {key: text for key, text in read_table(starter.CHECKPOINT).metadata.items() if key.startswith("modelhub.")}


def _write_hypernetwork(path: Path) -> None:
    write_converted(path, 128, activation_func="relu")
    path.with_suffix(".pt").unlink()
    save_tensors(path, load_file(path), {**read_table(path).metadata, **_SD1, "modelhub.kind": "hypernetwork"})


def _write_net(path: Path) -> None:
    """A ControlNet that pulls a little."""
    parts = checkpoint_parts(starter.CHECKPOINT, read_table(starter.CHECKPOINT), family("sd1"))
    unet = load_part(parts["unet"], device=torch.device("cpu"), dtype=torch.float32)
    torch.manual_seed(2)
    net: nn.Module = ControlNetModel.from_unet(unet, conditioning_embedding_out_channels=(4, 8, 12, 16))
    for parameter in net.controlnet_down_blocks.parameters():  # type: ignore[union-attr]
        nn.init.normal_(parameter, std=0.02)
    save_tensors(path, net.state_dict(), _SD1)


def _gentle(net: nn.Module) -> nn.Module:
    """One that changes little of what it repeats."""
    with torch.no_grad():
        for parameter in net.parameters():
            parameter *= 0.3
    return net


def _write_words(root: Path) -> None:
    (root / "embeddings").mkdir()
    torch.manual_seed(3)
    save_tensors(root / "embeddings" / "bad-lines.safetensors", {"emb_params": 0.1 * torch.randn(2, 128)}, _SD1)
    (root / "styles.csv").write_text(_STYLES, encoding="utf-8")
    (root / "wildcards").mkdir()
    (root / "wildcards" / "fruit.txt").write_text("red apple\nlemon\n", encoding="utf-8")
    (root / "prompts.txt").write_text("red apple\n--prompt lemon --steps 6 --cfg_scale 5\n", encoding="utf-8")


def _write_pictures(folder: Path) -> None:
    """A plain photo with a red thing in it, and a mask that is white where that is."""
    folder.mkdir()
    photo, mask = Image.new("RGB", (128, 128), "white"), Image.new("L", (128, 128))
    ImageDraw.Draw(photo).ellipse((40, 40, 88, 88), "red", "black")
    ImageDraw.Draw(mask).rectangle((36, 36, 92, 92), 255)
    photo.save(folder / "photo.png")
    mask.save(folder / "mask.png")
