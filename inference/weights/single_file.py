"""Files as the parts of a pipeline: which tensor of which file is which parameter of which module."""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from inference.weights import text_encoder, unet, unet_sizes, vae
from inference.weights.hints import read_hints
from inference.weights.parts import TEXT_ENCODER, TEXT_ENCODER_2, TEXT_ROLES, UNET, VAE, Part, Piece, Weights
from modelhub.errors import BrokenFile
from modelhub.families import Family
from modelhub.headers import TensorTable

__all__ = ["TEXT_ENCODER", "TEXT_ENCODER_2", "TEXT_ROLES", "UNET", "VAE", "Part", "Piece", "Weights"]
__all__ += ["TEXT_PREFIXES", "UNET_PREFIX", "VAE_PREFIXES", "checkpoint_parts", "held_parts", "lacking", "part_in"]
__all__ += ["CALLED", "rename", "text_width"]

UNET_PREFIX = "model.diffusion_model."
_UNET_PREFIXES = (UNET_PREFIX, "diffusion_model.", "unet.", "")
VAE_PREFIXES = ("first_stage_model.", "vae.", "")
TEXT_PREFIXES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "sd1": {TEXT_ENCODER: ("cond_stage_model.transformer.text_model.", "cond_stage_model.transformer.")},
    "sd2": {TEXT_ENCODER: ("cond_stage_model.model.", "cond_stage_model.transformer.text_model.")},
    "sdxl": {
        TEXT_ENCODER: ("conditioner.embedders.0.transformer.text_model.",),
        TEXT_ENCODER_2: ("conditioner.embedders.1.model.",),
    },
    "sdxl-refiner": {TEXT_ENCODER_2: ("conditioner.embedders.0.model.",)},
}
"""Family -> part -> how its tensors begin in checkpoints; the first is what is written."""
_ALONE = (
    "text_model.", "", "model.", "transformer.text_model.", "transformer.", "text_encoder.text_model.", "text_encoder.",
    "text_encoder_2.text_model.", "text_encoder_2.", "text_encoders.clip_l.transformer.text_model.",
    "text_encoders.clip_g.transformer.text_model.",
    *(prefix for places in TEXT_PREFIXES.values() for prefixes in places.values() for prefix in prefixes),
)  # fmt: skip
"""How they begin in files of text encoders."""
_LDM_TOPS = ("input_blocks", "middle_block", "output_blocks", "time_embed", "label_emb", "out")
_DIFFUSERS_TOPS = ("conv_in", "down_blocks", "mid_block", "up_blocks", "time_embedding", "add_embedding")
_UNET_TOPS = frozenset((*_LDM_TOPS, *_DIFFUSERS_TOPS, "conv_norm_out", "conv_out"))
_VAE_TOPS = frozenset(("encoder", "decoder", "quant_conv", "post_quant_conv"))
_BESIDE = (".scale_weight", ".weight_scale", ".scale_input", ".input_scale", ".comfy_quant")
"""What tools keep beside weights in eight bits."""
_LARGEST, _LONGEST, _MOST_LEVELS = 8192, 64, 16
"""Nothing that a configuration counts comes near."""
_Found = tuple[str, Piece, tuple[int, ...]]
"""A parameter by its canonical name, where its numbers are, and its shape."""
CALLED = {UNET: "UNet", VAE: "VAE", TEXT_ENCODER: "text encoder", TEXT_ENCODER_2: "second text encoder"}
"""A role, as people say it."""


def checkpoint_parts(path: Path, table: TensorTable, family: Family) -> dict[str, Part]:
    """All that the family needs, from a single file; raises `BrokenFile` when something is missing."""
    weights = Weights(path, table)
    parts = held_parts(weights, family)
    for role in lacking(parts, family):
        raise BrokenFile(path, f"it holds no {CALLED[role]} ({_first_name(role, family)} is missing)")
    return parts


def lacking(parts: Mapping[str, Part], family: Family) -> list[str]:
    """The roles that nothing plays."""
    return [role for role in family.components if role not in parts]


def held_parts(weights: Weights, family: Family) -> dict[str, Part]:
    """The parts of a pipeline that a file holds."""
    found = {UNET: _unet(weights, family), VAE: _vae(weights, family)}
    for role, prefixes in TEXT_PREFIXES[family.name].items():
        found[role] = _text_encoder(weights, family, role, (*prefixes, f"{role}.text_model.", f"{role}."))
    return {role: part for role, part in found.items() if part}


def part_in(weights: Weights, family: Family, role: str) -> Part:
    """What plays `role` in a file of its own, or in a checkpoint, in either layout; raises `BrokenFile`."""
    found = _part_of(weights, family, role)
    if found is None:
        raise BrokenFile(weights.path, f"it holds no {CALLED[role]} in any layout that we know")
    return found


def text_width(weights: Weights) -> int | None:
    """Columns of the encodings that a file's text encoder makes; None where it has none."""
    prefix = text_encoder.find_prefix(weights.table, _ALONE)
    return None if prefix is None else text_encoder.read_shape(weights.table, prefix).width


def rename(name: str, names: Mapping[str, str]) -> str:
    """Replace the longest dotted beginning that `names` knows."""
    end = len(name)
    while (end := name.rfind(".", 0, end)) > 0:
        if module := names.get(name[:end]):
            return module + name[end:]
    return name


def _part_of(weights: Weights, family: Family, role: str) -> Part | None:
    if role == UNET:
        return _unet(weights, family)
    if role == VAE:
        return _vae(weights, family)
    return _text_encoder(weights, family, role, (*TEXT_PREFIXES[family.name][role], *_ALONE))


def _unet(weights: Weights, family: Family) -> Part | None:
    entries = (unet_sizes.LDM_ENTRY, unet_sizes.DIFFUSERS_ENTRY)
    prefix = _prefix(weights.table, _UNET_PREFIXES, entries)
    if prefix is None:
        return None
    shape = unet_sizes.read_shape(weights.table, prefix)
    hints = read_hints(weights.path, weights.table.metadata, family)
    config = unet.config(
        shape, _defaults(family.name)[UNET], heads=hints.unet_heads, norm_groups=hints.unet_norm_groups,
        own=_own(weights),
    )  # fmt: skip
    return _part(UNET, family, weights, config, _renamed(weights, prefix, unet.names(shape), _UNET_TOPS))


def _vae(weights: Weights, family: Family) -> Part | None:
    prefix = _prefix(weights.table, VAE_PREFIXES, ("decoder.conv_in.weight",))
    if prefix is None:
        return None
    shape = vae.read_shape(weights.table, prefix)
    hints = read_hints(weights.path, weights.table.metadata, family)
    config = vae.config(shape, _defaults(family.name)[VAE], norm_groups=hints.vae_norm_groups, own=_own(weights))
    return _part(VAE, family, weights, config, _renamed(weights, prefix, vae.names(shape), _VAE_TOPS))


def _text_encoder(weights: Weights, family: Family, role: str, prefixes: tuple[str, ...]) -> Part | None:
    prefix = text_encoder.find_prefix(weights.table, prefixes)
    if prefix is None:
        return None
    shape = text_encoder.read_shape(weights.table, prefix, read_layers=family.clip_layers)
    if not (shape.width and shape.layers):
        return None
    hints = read_hints(weights.path, weights.table.metadata, family)
    heads = hints.text_encoder_heads or max(1, shape.width // family.clip_head_width)
    config = text_encoder.config(shape, _defaults(family.name)[role], heads=heads, own=_own(weights))
    return _part(role, family, weights, config, text_encoder.pieces(weights, prefix, shape))


def _part(
    role: str, family: Family, weights: Weights, config: Mapping[str, Any], found: Iterator[_Found]
) -> Part:  # fmt: skip
    keys: dict[str, Piece] = {}
    shapes: dict[str, tuple[int, ...]] = {}
    for name, piece, shape in found:
        keys[name], shapes[name] = piece, shape
    return Part(role, family.components[role], config, weights.path, keys, shapes)


def _renamed(weights: Weights, prefix: str, names: Mapping[str, str], tops: frozenset[str]) -> Iterator[_Found]:
    """Every tensor under `prefix` that is a parameter; averages, markers and leftovers are not."""
    for key, entry in weights.table.tensors.items():
        name = key[len(prefix) :]
        if key.startswith(prefix) and name.partition(".")[0] in tops and not key.endswith(_BESIDE):
            yield rename(name, names), weights.piece(key), entry.shape


def _prefix(table: TensorTable, prefixes: tuple[str, ...], entries: tuple[str, ...]) -> str | None:
    return next((prefix for prefix in prefixes if any(prefix + one in table.tensors for one in entries)), None)


def _first_name(role: str, family: Family) -> str:
    """Of the tensor that a part is known by."""
    if role == UNET:
        return UNET_PREFIX + unet_sizes.LDM_ENTRY
    if role == VAE:
        return f"{VAE_PREFIXES[0]}decoder.conv_in.weight"
    return TEXT_PREFIXES[family.name][role][0] + "..."


def _own(weights: Weights) -> dict[str, Any]:
    """What a folder's configuration says, each value as it was before the table made a text of it."""
    if weights.table.container != "diffusers":
        return {}
    values = {name: _value(text) for name, text in weights.table.metadata.items()}
    return {name: value for name, value in values.items() if _is_sane(value)}


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _is_sane(value: Any) -> bool:
    """Whether it may describe a model: strangers wrote it."""
    if isinstance(value, list):
        return len(value) <= _MOST_LEVELS and all(type(one) is int and _is_sane(one) for one in value)
    if isinstance(value, str):
        return len(value) <= _LONGEST
    return isinstance(value, int | float) and 0 <= value <= _LARGEST


@cache
def _defaults(family: str) -> dict[str, dict[str, Any]]:
    text = resources.files("inference.configs").joinpath(f"{family}.json").read_text()
    return json.loads(text)  # type: ignore[no-any-return]
