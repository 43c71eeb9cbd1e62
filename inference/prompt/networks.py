"""Networks that a prompt calls for: ``<lora:NAME:TEXT_ENCODER:UNET>`` (stable-diffusion-webui's notation)."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from modelhub.errors import BadValue

__all__ = ["LoraTag", "lora_tags", "renamed", "without_comments", "without_networks"]

_TAG = re.compile(r"<(\w+):([^>]+)>")
_LORA = ("lora", "lyco")
_COMMENT = re.compile(r"^#[^\n]*\n?|#[^\n]*", re.MULTILINE)
_MEND = "write <lora:NAME>, <lora:NAME:0.8> or <lora:NAME:TEXT_ENCODER:UNET>"


@dataclass(frozen=True, slots=True)
class LoraTag:
    """One LoRA that a prompt names, and how strongly each part of the model gets it."""

    name: str
    text_encoder: float
    unet: float


def without_networks(prompt: str) -> str:
    """The prompt without its tags, as text encoders read it."""
    return _TAG.sub("", prompt)


def without_comments(prompt: str) -> str:
    """The prompt without what stands between a ``#`` and the end of its line."""
    return _COMMENT.sub("", prompt)


def lora_tags(prompt: str) -> tuple[LoraTag, ...]:
    """The LoRAs of a prompt in order; raises `BadValue` for numbers that are none, and for networks of other kinds."""
    return tuple(_lora(found) for found in _TAG.finditer(prompt))


def renamed(prompt: str, names: Sequence[str]) -> str:
    """The prompt with other names in its LoRA tags, in their order; those without one keep theirs."""
    following = iter(names)
    return _TAG.sub(lambda found: _with_name(found, next(following, found[2].partition(":")[0])), prompt)


def _with_name(found: re.Match[str], name: str) -> str:
    _, colon, weights = found[2].partition(":")
    return f"<{found[1]}:{name}{colon}{weights}>"


def _lora(found: re.Match[str]) -> LoraTag:
    kind, (name, *arguments) = found[1], found[2].split(":")
    if kind not in _LORA:
        raise BadValue(f"{found[0]} calls for a network of the kind {kind!r}; LoRAs are known", mend=_MEND)
    named = dict(one.split("=", 1) for one in arguments if "=" in one)
    plain = [one for one in arguments if "=" not in one]
    if len(plain) > 2 or not named.keys() <= {"te", "unet"}:
        raise BadValue(f"{found[0]}: a LoRA takes a weight for the text encoder and one for the UNet", mend=_MEND)
    text_encoder = named.get("te", plain[0] if plain else "1")
    unet = named.get("unet", plain[1] if len(plain) > 1 else text_encoder)
    return LoraTag(name, _number(text_encoder, found[0]), _number(unet, found[0]))


def _number(text: str, tag: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise BadValue(f"{tag}: {text!r} is no weight", mend=_MEND)
    return number
