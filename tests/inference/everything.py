"""A workspace with a tiny random model of each kind, and pictures to draw from."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from diffusers import ControlNetModel
from PIL import Image, ImageDraw
from torch import Tensor, nn

from inference.weights.export import checkpoint_tensors
from inference.weights.hints import write_hints
from inference.weights.save import save_tensors
from modelhub import starter
from modelhub.catalog import Catalog
from modelhub.kinds import Facts, Kind
from modelhub.workspace import Workspace
from tests import tiny, tiny_families
from tests.inference.adapters.hypernetworks import write_converted
from tests.upscalers import write_upscaler

__all__ = ["ALGORITHMS", "write_everything"]

_SD1 = {"modelhub.family": "sd1"}
_BLOCKS = "lora_unet_down_blocks_0"
_LINEAR = [f"{_BLOCKS}_attentions_0_transformer_blocks_0_attn1_{part}" for part in ("to_q", "to_k", "to_v", "to_out_0")]
"""8x8."""
_TEXT = "lora_te_text_model_encoder_layers_0_self_attn_q_proj"
"""16x16."""
_CONV = f"{_BLOCKS}_resnets_0_conv1"
"""8x8x3x3."""
_PAIR = {"lora_down.weight": (2, 8), "lora_up.weight": (8, 2), "alpha": ()}

ALGORITHMS: Mapping[str, Mapping[str, tuple[int, ...]]] = {
    "dora": {**_PAIR, "dora_scale": (8, 1)},
    "loha": {"hada_w1_a": (8, 2), "hada_w1_b": (2, 8), "hada_w2_a": (8, 2), "hada_w2_b": (2, 8), "alpha": ()},
    "lokr": {"lokr_w1": (2, 2), "lokr_w2": (4, 4), "alpha": ()},
    "glora": {"a1.weight": (8, 2), "a2.weight": (2, 8), "b1.weight": (8, 2), "b2.weight": (2, 8), "alpha": ()},
    "oft": {"oft_blocks": (2, 4, 4), "alpha": ()},
    "boft": {"oft_blocks": (2, 2, 4, 4), "rescale": (8, 1)},
    "ia3": {"weight": (8,), "on_input": ()},
    "full": {"diff": (8, 8)},
}
"""Algorithm of adapters -> the tensors of one of its layers; "lora" and "locon" are written beside them."""


def write_everything(workspace: Workspace) -> None:
    """Fill a workspace; its pictures lie at its root, 64 x 64 each."""
    root = workspace.root
    files = root / "files"
    with Catalog.create(workspace) as catalog:
        catalog.add(Path(str(starter.__file__)).with_name("starter.safetensors"), name="starter")
        for path in (*_checkpoints(files), *_adapters(files), *_others(files)):
            catalog.add(path)
        hypernetwork = write_converted(files / "hyper.safetensors", 8, tiny.WIDTH)
        catalog.add(hypernetwork, facts=Facts(kind=Kind.HYPERNETWORK, family="sd1"))
    _draw_pictures(root)
    (root / "styles.csv").write_text("name,prompt,negative_prompt\nink,ink of {prompt},colour\n")
    (root / "wildcards").mkdir()
    (root / "wildcards" / "colour.txt").write_text("red\nblue\ngreen\n")
    (root / "prompts.txt").write_text("a cat\n--prompt 'a dog' --cfg_scale 2\n")


def _checkpoints(files: Path) -> list[Path]:
    files.mkdir()
    header = {**_SD1, "modelhub.kind": "checkpoint", **write_hints(tiny.HINTS)}
    for name, channels in {"inpainting": 9, "edits": 8}.items():
        save_tensors(files / f"{name}.safetensors", checkpoint_tensors(**tiny.models(in_channels=channels)), header)
    return [
        tiny.write_checkpoint(files / "tiny.safetensors"),
        tiny.write_checkpoint(files / "other.safetensors", seed=1),
        *(files / f"{name}.safetensors" for name in ("inpainting", "edits")),
        tiny_families.write_sd2(files / "second.safetensors"),
        tiny_families.write_sdxl(files / "wide.safetensors"),
        tiny_families.write_refiner(files / "last.safetensors"),
    ]


def _adapters(files: Path) -> list[Path]:
    linear = {**dict.fromkeys(_LINEAR, (8, 8)), _TEXT: (16, 16)}
    written = [
        tiny.write_lora(files / "lora.safetensors", linear),
        tiny.write_lora(files / "locon.safetensors", {_LINEAR[0]: (8, 8), _CONV: (8, 8, 3, 3)}, seed=1),
    ]
    for name, shapes in ALGORITHMS.items():
        written.append(files / f"{name}.safetensors")
        save_tensors(written[-1], _layers(shapes), _SD1)
    return written


def _layers(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(len(shapes))
    said = {"alpha": torch.tensor(1.0), "on_input": torch.tensor(False)}
    return {
        f"{name}.{ending}": said.get(ending, torch.randn(shape, generator=generator))
        for name in _LINEAR
        for ending, shape in shapes.items()
    }


def _others(files: Path) -> list[Path]:
    words = torch.randn(2, tiny.WIDTH, generator=torch.Generator().manual_seed(0))
    save_tensors(files / "easycat.safetensors", {"emb_params": words}, _SD1)
    return [
        tiny.write_vae(files / "soft.safetensors", seed=2),
        files / "easycat.safetensors",
        write_upscaler(files / "sharp.safetensors"),
        _write_net(files / "net.safetensors"),
    ]


def _write_net(path: Path) -> Path:
    """A ControlNet that does something: they begin as zeros."""
    net: nn.Module = ControlNetModel.from_unet(
        tiny.models()["unet"], conditioning_embedding_out_channels=(4, 8, 12, 16)
    )
    for parameter in net.parameters():
        nn.init.normal_(parameter, std=0.1)
    save_tensors(path, net.state_dict(), _SD1)
    return path


def _draw_pictures(folder: Path) -> None:
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)).save(folder / "old.png")
    mask = Image.new("L", (64, 64))
    ImageDraw.Draw(mask).rectangle((20, 12, 43, 35), fill=255)
    mask.save(folder / "mask.png")
