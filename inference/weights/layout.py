"""A module's parameters -> the tensors that a checkpoint in the latent-diffusion layout makes of them (pure)."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from inference.weights import unet, vae
from inference.weights.parts import TEXT_ENCODER, TEXT_ENCODER_2, TEXT_ROLES, UNET
from inference.weights.single_file import TEXT_PREFIXES, UNET_PREFIX, VAE_PREFIXES, rename
from inference.weights.text_encoder import CANONICAL, PROJECTION, openclip_name, parameters

__all__ = ["Stack", "checkpoint_layout"]

_OPENCLIP = {("sd2", TEXT_ENCODER), ("sdxl", TEXT_ENCODER_2), ("sdxl-refiner", TEXT_ENCODER_2)}
"""Whose text encoders stand in the files under OpenCLIP's names."""


@dataclass(frozen=True, slots=True)
class Stack:
    """One tensor of a checkpoint."""

    parameters: tuple[str, ...]
    """Those that it holds one above the other."""
    transposed: bool = False
    as_convolution: bool = False
    """Whether a linear layer stands there as a 1x1 convolution."""


def checkpoint_layout(
    role: str, family: str, config: Mapping[str, Any], names: Iterable[str]
) -> dict[str, Stack]:  # fmt: skip
    """Tensor of the checkpoint -> what it is made of; `names` are the module's parameters, canonical."""
    if role not in TEXT_ROLES:
        return dict(_unet(config, names) if role == UNET else _vae(config, names))
    prefix = TEXT_PREFIXES[family][role][0]
    openclip = (family, role) in _OPENCLIP
    found = _as_openclip(frozenset(names), unread=family == "sd2") if openclip else _as_transformers(names)
    return {prefix + name: stack for name, stack in found}


def _unet(config: Mapping[str, Any], names: Iterable[str]) -> Iterator[tuple[str, Stack]]:
    theirs = _inverse(unet.names(unet.shape_of(config)))
    return ((UNET_PREFIX + rename(name, theirs), Stack((name,))) for name in names)


def _vae(config: Mapping[str, Any], names: Iterable[str]) -> Iterator[tuple[str, Stack]]:
    """The layout keeps the attention as 1x1 convolutions."""
    theirs = _inverse(vae.names(vae.shape_of(config)))
    for name in names:
        key = VAE_PREFIXES[0] + rename(name, theirs)
        linear = ".attn_1." in key and key.endswith(".weight") and not key.endswith(".norm.weight")
        yield key, Stack((name,), as_convolution=linear)


def _as_transformers(names: Iterable[str]) -> Iterator[tuple[str, Stack]]:
    return ((name.removeprefix(CANONICAL), Stack((name,))) for name in names)


def _as_openclip(names: frozenset[str], *, unread: bool) -> Iterator[tuple[str, Stack]]:
    """With `unread`, one layer more than is read: its numbers do not matter, but other tools ask for it."""
    layers = sum(name.endswith(".mlp.fc1.weight") for name in names)
    fused: dict[str, list[str]] = {}
    for name in parameters(layers + unread):
        source = name.replace(f"layers.{layers}.", f"layers.{layers - 1}.")
        fused.setdefault(openclip_name(name)[0], []).append(CANONICAL + source)
    yield from ((name, Stack(tuple(blocks))) for name, blocks in fused.items())
    if PROJECTION in names:
        yield "text_projection", Stack((PROJECTION,), transposed=True)


def _inverse(names: Mapping[str, str]) -> dict[str, str]:
    return {module: file for file, module in names.items()}
