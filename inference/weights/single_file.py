"""A checkpoint file as the parts of a pipeline: which tensor of the file is which parameter of which module."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from inference.weights import text_encoder, unet, vae
from inference.weights.hints import read_hints
from modelhub.errors import BrokenFile
from modelhub.families import Family
from modelhub.headers import TensorTable

__all__ = [
    "TEXT_ENCODER",
    "TEXT_PREFIXES",
    "UNET",
    "UNET_PREFIX",
    "VAE",
    "VAE_PREFIXES",
    "Part",
    "checkpoint_parts",
    "rename",
    "vae_part",
]

UNET = "unet"
VAE = "vae"
TEXT_ENCODER = "text_encoder"

UNET_PREFIX = "model.diffusion_model."
VAE_PREFIXES = ("first_stage_model.", "vae.", "")
TEXT_PREFIXES = ("cond_stage_model.transformer.text_model.", "cond_stage_model.transformer.")
_IGNORED = ("position_ids",)


@dataclass(frozen=True, slots=True)
class Part:
    """One module of a pipeline, described by a file: enough to build and to check it without reading a weight."""

    role: str
    component: str
    """Dotted class that implements it."""
    config: Mapping[str, Any]
    """Arguments of that class."""
    path: Path
    keys: Mapping[str, str]
    """Parameter, by its canonical name -> tensor of the file."""
    shapes: Mapping[str, tuple[int, ...]]
    """Parameter -> shape in the file."""

    @property
    def modules(self) -> dict[str, tuple[int, ...]]:
        """Dotted module -> shape of its weight: what adapters can attach to."""
        return {name.removesuffix(".weight"): shape for name, shape in self.shapes.items() if name.endswith(".weight")}


def checkpoint_parts(path: Path, table: TensorTable, family: Family) -> dict[str, Part]:
    """The UNet, VAE and text encoder of a single-file checkpoint; raises `BrokenFile` when one is missing."""
    hints = read_hints(path, table.metadata, family)
    defaults = _defaults(family.name)
    _prefix_with(table, (UNET_PREFIX,), "input_blocks.0.0.weight", path, "UNet")
    net = unet.read_shape(table, UNET_PREFIX)
    prefix = _prefix_with(table, TEXT_PREFIXES, "embeddings.token_embedding.weight", path, "text encoder")
    clip = text_encoder.read_shape(table, prefix)
    heads = hints.text_encoder_heads or max(1, clip.width // family.clip_head_width)
    return {
        UNET: _part(
            UNET, family, path, table, UNET_PREFIX, unet.names(net),
            unet.config(net, defaults[UNET], heads=hints.unet_heads, norm_groups=hints.unet_norm_groups),
        ),
        VAE: vae_part(path, table, family),
        TEXT_ENCODER: _part(
            TEXT_ENCODER, family, path, table, prefix, {},
            text_encoder.config(clip, defaults[TEXT_ENCODER], heads=heads), canonical=text_encoder.CANONICAL,
        ),
    }  # fmt: skip


def vae_part(path: Path, table: TensorTable, family: Family) -> Part:
    """The VAE of a checkpoint or of a file of its own, in either layout."""
    prefix = _prefix_with(table, VAE_PREFIXES, "decoder.conv_in.weight", path, "VAE")
    shape = vae.read_shape(table, prefix)
    hints = read_hints(path, table.metadata, family)
    config = vae.config(shape, _defaults(family.name)[VAE], norm_groups=hints.vae_norm_groups)
    return _part(VAE, family, path, table, prefix, vae.names(shape), config)


def rename(name: str, names: Mapping[str, str]) -> str:
    """Replace the longest dotted beginning that `names` knows."""
    end = len(name)
    while (end := name.rfind(".", 0, end)) > 0:
        if module := names.get(name[:end]):
            return module + name[end:]
    return name


def _part(
    role: str, family: Family, path: Path, table: TensorTable, prefix: str, names: Mapping[str, str],
    config: Mapping[str, Any], canonical: str = "",
) -> Part:  # fmt: skip
    keys = {canonical + ours: theirs for ours, theirs in _renamed(table, prefix, names)}
    shapes = {ours: table.tensors[theirs].shape for ours, theirs in keys.items()}
    return Part(role, family.components[role], config, path, keys, shapes)


def _renamed(table: TensorTable, prefix: str, names: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for key in table.tensors:
        if key.startswith(prefix) and not key.endswith(_IGNORED):
            yield rename(key[len(prefix) :], names), key


def _prefix_with(table: TensorTable, prefixes: tuple[str, ...], key: str, path: Path, what: str) -> str:
    for prefix in prefixes:
        if prefix + key in table.tensors:
            return prefix
    raise BrokenFile(path, f"it holds no {what} ({prefixes[0]}{key} is missing)")


@cache
def _defaults(family: str) -> dict[str, dict[str, Any]]:
    text = resources.files("inference.configs").joinpath(f"{family}.json").read_text()
    return json.loads(text)  # type: ignore[no-any-return]
