"""Networks that a prompt calls for: ``<lora:NAME:TEXT_ENCODER:UNET>`` (stable-diffusion-webui's notation)."""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from inference.request.blocks import PRESETS, parse_blocks
from modelhub.errors import BadValue

__all__ = [
    "HypernetworkTag",
    "LoraTag",
    "hypernetwork_tags",
    "lora_tags",
    "renamed",
    "with_hypernetworks",
    "without_comments",
    "without_networks",
]

_TAG = re.compile(r"<(\w+):([^>]+)>")
_LORA = ("lora", "lyco")
_HYPERNETWORK = "hypernet"
_COMMENT = re.compile(r"^#[^\n]*\n?|#[^\n]*", re.MULTILINE)
_PLACES = ("te", "unet", "dyn")
"""Names of a tag's numbers, in their order."""
_BLOCKS = "lbw"
_MEND = "write <lora:NAME>, <lora:NAME:0.8> or <lora:NAME:TEXT_ENCODER:UNET>"


@dataclass(frozen=True, slots=True)
class LoraTag:
    """One LoRA that a prompt names, and how strongly each part of the model gets it."""

    name: str
    text_encoder: float
    unet: float
    rank: int | None = None
    """So many of its ranks; None is all."""
    blocks: tuple[float, ...] = ()
    """Factors on its strength block by block; none is 1 everywhere."""


@dataclass(frozen=True, slots=True)
class HypernetworkTag:
    """One hypernetwork that a prompt names, and its strength."""

    name: str
    strength: float


def without_networks(prompt: str) -> str:
    """The prompt without its tags, as text encoders read it."""
    return _TAG.sub("", prompt)


def without_comments(prompt: str) -> str:
    """The prompt without what stands between a ``#`` and the end of its line."""
    return _COMMENT.sub("", prompt)


def lora_tags(prompt: str) -> tuple[LoraTag, ...]:
    """The LoRAs of a prompt in order; raises `BadValue` for numbers that are none, and for kinds that nobody knows."""
    return tuple(_lora(found) for found in _TAG.finditer(prompt) if found[1] != _HYPERNETWORK)


def hypernetwork_tags(prompt: str) -> tuple[HypernetworkTag, ...]:
    """The hypernetworks of a prompt in order; raises `BadValue` for a number that is none."""
    return tuple(_hypernetwork(found) for found in _TAG.finditer(prompt) if found[1] == _HYPERNETWORK)


def renamed(prompt: str, names: Sequence[str]) -> str:
    """The prompt with other names in its LoRA tags, in their order; those without one keep theirs."""
    following = iter(names)
    return _TAG.sub(
        lambda found: _with_name(found, next(following, _name(found))) if found[1] in _LORA else found[0], prompt
    )


def with_hypernetworks(prompt: str, name_of: Callable[[str], str]) -> str:
    """The prompt with other names in its hypernetworks' tags."""
    return _TAG.sub(
        lambda found: _with_name(found, name_of(_name(found))) if found[1] == _HYPERNETWORK else found[0], prompt
    )


def _name(found: re.Match[str]) -> str:
    return found[2].partition(":")[0]


def _with_name(found: re.Match[str], name: str) -> str:
    _, colon, weights = found[2].partition(":")
    return f"<{found[1]}:{name}{colon}{weights}>"


def _lora(found: re.Match[str]) -> LoraTag:
    kind, (name, *arguments) = found[1], found[2].split(":")
    if kind not in _LORA:
        raise BadValue(f"{found[0]} calls for a network of the kind {kind!r}; lora and hypernet are known", mend=_MEND)
    named = _named(arguments, found[0])
    text_encoder = _number(named.get("te", "1"), found[0])
    return LoraTag(
        name,
        text_encoder,
        _number(named["unet"], found[0]) if "unet" in named else text_encoder,
        rank=_rank(named["dyn"], found[0]) if "dyn" in named else None,
        blocks=parse_blocks(named[_BLOCKS]) if _BLOCKS in named else (),
    )


def _named(arguments: Sequence[str], tag: str) -> dict[str, str]:
    """Numbers are known by their place; blocks are a preset's name or numbers with commas between."""
    plain = [one for one in arguments if "=" not in one]
    blocks = [one for one in plain if "," in one or one.strip().upper() in PRESETS]
    numbers = [one for one in plain if one not in blocks]
    named = dict(zip(_PLACES, numbers, strict=False))
    if blocks:
        named[_BLOCKS] = blocks[0]
    named |= dict(one.split("=", 1) for one in arguments if "=" in one)
    unknown = sorted(named.keys() - {*_PLACES, _BLOCKS})
    if unknown or len(numbers) > len(_PLACES) or len(blocks) > 1:
        raise BadValue(f"{tag}: {(unknown or plain)[-1]!r} is nothing that a LoRA takes", mend=_MEND)
    return named


def _rank(text: str, tag: str) -> int:
    number = _number(text, tag)
    if number < 1 or number != int(number):
        raise BadValue(f"{tag}: {text!r} is no number of ranks", mend=_MEND)
    return int(number)


def _number(text: str, tag: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise BadValue(f"{tag}: {text!r} is no weight", mend=_MEND)
    return number


def _hypernetwork(found: re.Match[str]) -> HypernetworkTag:
    name, *weights = found[2].split(":")
    if len(weights) > 1:
        raise BadValue(f"{found[0]}: a hypernetwork takes one strength", mend="write <hypernet:NAME:0.8>")
    return HypernetworkTag(name, _number(weights[0], found[0]) if weights else 1.0)
