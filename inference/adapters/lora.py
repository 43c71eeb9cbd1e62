"""LoRA files in their dialects -> which module gets which pair of factors (pure, no torch).

Underscored names are ambiguous, so a name is looked up among the base model's own module names and never split.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path

from inference.weights.single_file import TEXT_ENCODER, UNET, Part
from inference.weights.text_encoder import CANONICAL
from modelhub.errors import Incompatible
from modelhub.headers import TensorTable

__all__ = ["LoraLayer", "Target", "kohya_name", "parse_lora"]

_DOWN = (".lora_down.weight", ".lora_A.weight", ".lora.down.weight", ".lora_linear_layer.down.weight")
_UP = (".lora_up.weight", ".lora_B.weight", ".lora.up.weight", ".lora_linear_layer.up.weight")
_ALPHA = (".alpha",)
_KOHYA = {UNET: ("lora_unet",), TEXT_ENCODER: ("lora_te", "lora_te1")}
_DOTTED = {UNET: ("unet.", "base_model.model.", "base_model.model.unet."),
           TEXT_ENCODER: ("text_encoder.", "base_model.model.", "base_model.model.text_encoder.")}  # fmt: skip


@dataclass(frozen=True, slots=True, order=True)
class Target:
    """A module of the base model that an adapter changes."""

    role: str
    """``unet`` or ``text_encoder``."""
    module: str
    """Dotted, by its canonical name."""


@dataclass(frozen=True, slots=True)
class LoraLayer:
    """One pair of factors: dW = alpha / rank * up @ down."""

    down: str
    """Tensor of the file, [rank, in, ...]."""
    up: str
    """Tensor of the file, [out, rank, ...]."""
    rank: int
    alpha: str | float | None
    """A tensor of the file, a number from its header, or None, which means alpha = rank."""


def kohya_name(target: Target) -> str:
    """The name that kohya's scripts, and with them nearly all tools, give to a target."""
    return f"{_KOHYA[target.role][0]}_{target.module.replace('.', '_')}"


def parse_lora(path: Path, table: TensorTable, parts: Mapping[str, Part]) -> dict[Target, LoraLayer]:
    """The layers of a LoRA file and the modules of `parts` that they belong to.

    Raises `Incompatible` for a layer that the base lacks, whose shape differs, or whose algorithm is another one.
    """
    targets = dict(_names_of(parts))
    layers: dict[Target, LoraLayer] = {}
    for name, factors in _grouped(path, table).items():
        target = targets.get(_without_processor(name))
        if target is None:
            raise Incompatible(f"{path.name} changes {name}, which the base model does not have")
        if target in layers:
            raise Incompatible(f"{path.name} changes {target.module} twice, once as {name}")
        layer = LoraLayer(factors["down"], factors["up"], table.tensors[factors["down"]].shape[0], factors.get("alpha"))
        _check_shape(path, target, layer, table, parts[target.role].modules[target.module])
        layers[target] = layer
    if not layers:
        raise Incompatible(f"{path.name} holds no LoRA layers")
    return _with_header_alphas(layers, table.metadata)


def _names_of(parts: Mapping[str, Part]) -> Iterator[tuple[str, Target]]:
    """Every spelling of every module of the base."""
    for role in (UNET, TEXT_ENCODER):
        for module in parts[role].modules:
            target = Target(role, module)
            # transformers 5.6 dropped `text_model` from its names, and trainers wrote what it said
            for spelling in {module, module.removeprefix(CANONICAL)}:
                for prefix in _KOHYA[role]:
                    yield f"{prefix}_{spelling.replace('.', '_')}", target
                for prefix in _DOTTED[role]:
                    yield prefix + spelling, target


def _grouped(path: Path, table: TensorTable) -> dict[str, dict[str, str]]:
    """Module name as the file spells it -> which tensor plays which role."""
    groups: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for key in table.tensors:
        name, role = _split(path, key)
        groups[name][role] = key
    for name, factors in groups.items():
        for role in ("down", "up"):
            if role not in factors:
                raise Incompatible(f"{path.name} lacks the {role} factor of {name}")
    return dict(groups)


def _split(path: Path, key: str) -> tuple[str, str]:
    for role, suffixes in (("down", _DOWN), ("up", _UP), ("alpha", _ALPHA)):
        for suffix in suffixes:
            if key.endswith(suffix):
                return key.removesuffix(suffix), role
    old_style = {"_lora.down.weight": "down", "_lora.up.weight": "up"}
    for suffix, role in old_style.items():
        if key.endswith(suffix):
            return key.removesuffix(suffix), role
    raise Incompatible(f"{path.name} holds {key}, which is of no LoRA algorithm that can be applied yet")


def _without_processor(name: str) -> str:
    """Old diffusers files hang attention factors on the processor: ``attn1.processor.to_out`` -> ``attn1.to_out.0``."""
    if ".processor." not in name:
        return name
    name = name.replace(".processor.", ".")
    return f"{name}.0" if name.endswith(".to_out") else name


def _check_shape(
    path: Path, target: Target, layer: LoraLayer, table: TensorTable, weight: tuple[int, ...]
) -> None:  # fmt: skip
    down, up = table.tensors[layer.down].shape, table.tensors[layer.up].shape
    fits = up[0] == weight[0] and prod(up[1:]) == layer.rank and prod(down[1:]) == prod(weight[1:])
    if not fits:
        raise Incompatible(
            f"{path.name} does not fit: its {target.module} is {up[0]}x{prod(down[1:])}, "
            f"the base model's {weight[0]}x{prod(weight[1:])}"
        )


def _with_header_alphas(layers: dict[Target, LoraLayer], metadata: Mapping[str, str]) -> dict[Target, LoraLayer]:
    """diffusers keeps peft's alphas in the header (``lora_adapter_metadata``), one a part, with patterns for some."""
    try:
        header = json.loads(metadata.get("lora_adapter_metadata", "{}"))
    except (ValueError, RecursionError):
        return layers
    if not isinstance(header, dict):
        return layers
    return {
        target: layer if layer.alpha is not None else replace(layer, alpha=_header_alpha(header, target, layer.rank))
        for target, layer in layers.items()
    }


def _header_alpha(header: Mapping[str, object], target: Target, rank: int) -> float | None:
    alpha = header.get(f"{target.role}.lora_alpha")
    patterns = header.get(f"{target.role}.alpha_pattern")
    for pattern, one in patterns.items() if isinstance(patterns, dict) else ():
        if f".{target.module}".endswith(f".{pattern.removeprefix(CANONICAL)}"):
            alpha = one
    if not isinstance(alpha, int | float):
        return None
    # rank-stabilised LoRA divides by the root of the rank (Kalajdzievski 2023)
    return alpha * rank**0.5 if header.get(f"{target.role}.use_rslora") else float(alpha)
