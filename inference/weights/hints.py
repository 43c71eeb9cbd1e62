"""What tensor shapes cannot say of a model, as our own files carry it in their header.

Heads, GroupNorm groups and the native resolution leave no trace in the shapes. Models of usual size follow
their family; the others say it under ``modelhub.config``.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from inference.weights.parts import TEXT_ROLES, UNET, VAE, Part
from modelhub.errors import BrokenFile, Incompatible
from modelhub.families import Family

__all__ = ["SCHEMA", "Hints", "hints_of", "read_hints", "write_hints"]

SCHEMA = 1

_LARGEST = 8192
"""Nothing that is counted here comes near it; a picture's side may reach it."""


@dataclass(frozen=True, slots=True)
class Hints:
    """Sizes that no tensor shows."""

    unet_heads: int | None
    """None: one for every 64 channels."""
    unet_norm_groups: int
    vae_norm_groups: int
    text_encoder_heads: int | None
    """None: one head per `Family.clip_head_width` columns."""
    resolution: int | None
    """Pixels of a side the model was trained at; None: what is usual for its family."""


def read_hints(path: object, metadata: Mapping[str, str], family: Family) -> Hints:
    """The header's own words where it has any, the family's numbers elsewhere."""
    written = _written(path, metadata)
    usual = _usual(family)
    for name in Hints.__slots__:
        _check(path, name, written.get(name))
    return replace(usual, **{name: written[name] for name in Hints.__slots__ if written.get(name) is not None})


def write_hints(hints: Hints) -> dict[str, str]:
    """Header entries that `read_hints` reads back."""
    fields = {name: getattr(hints, name) for name in Hints.__slots__}
    return {"modelhub.schema": str(SCHEMA), "modelhub.config": json.dumps(fields, sort_keys=True)}


def hints_of(parts: Mapping[str, Part], family: Family) -> Hints:
    """What a file of these parts has to say, but for its resolution."""
    configs = {role: part.config for role, part in parts.items()}
    heads = configs[UNET]["attention_head_dim"]
    text = next(configs[role] for role in TEXT_ROLES if role in configs)
    is_usual = text["num_attention_heads"] * family.clip_head_width == text["hidden_size"]
    return Hints(
        unet_heads=heads if isinstance(heads, int) else None,
        unet_norm_groups=configs[UNET]["norm_num_groups"],
        vae_norm_groups=configs[VAE]["norm_num_groups"],
        text_encoder_heads=None if is_usual else text["num_attention_heads"],
        resolution=None,
    )


def _usual(family: Family) -> Hints:
    if family.unet is None:
        raise Incompatible(
            f"generating with {family.title} models is not possible yet", mend="modelhub ls --family sd1"
        )
    return Hints(family.unet.heads, family.unet.norm_groups, family.unet.norm_groups, None, None)


def _written(path: object, metadata: Mapping[str, str]) -> dict[str, Any]:
    try:
        schema = int(metadata.get("modelhub.schema", SCHEMA))
        written = json.loads(metadata.get("modelhub.config", "{}"))
    except (ValueError, RecursionError):
        raise BrokenFile(path, "its header's modelhub.schema or modelhub.config is garbled") from None
    if schema > SCHEMA:
        raise BrokenFile(path, "its header was written by a newer ModelHub", mend="pip install -U modelhub-suite")
    if not isinstance(written, dict):
        raise BrokenFile(path, "its header's modelhub.config is not a JSON object")
    return written


def _check(path: object, name: str, value: object) -> None:
    """Believe whole numbers of a sane size; None is as good as nothing."""
    if value is not None and not (type(value) is int and 0 < value <= _LARGEST):
        raise BrokenFile(path, f"its header's modelhub.config gives {name} as {value!r}")
