"""How what was learned is written, in the names of kohya, LyCORIS and diffusers, and read back."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import get_args

import torch
from torch import Tensor

from inference.adapters.algorithms import applied, delta_of
from inference.adapters.layers import Additive
from inference.adapters.merge import read_factors
from inference.plan import plan_adapter
from inference.weights.parts import TEXT_ROLES, Part
from modelhub.errors import BrokenFile, Incompatible
from trainers.methods._lora.joint import Joint
from trainers.methods._lora.places import Place
from trainers.methods._lora.sizes import MAGNITUDE
from trainers.recipe import LoraOptions

__all__ = ["check_written", "diffusers_tensors", "kohya_metadata", "kohya_tensors"]

_TOLERANCES = {"fp16": 2e-3, "bf16": 2e-2, "fp32": 1e-4}
"""Of the norm of a delta: what rounding both of its factors may cost."""
_LYCORIS = {"lora": "lora", "loha": "loha", "lokr": "lokr", "oft": "diag-oft"}
_PEFT = {"lora_down.weight": "lora_A.weight", "lora_up.weight": "lora_B.weight", MAGNITUDE: "lora_magnitude_vector"}
_PEFT_TEXT = {**_PEFT, MAGNITUDE: "lora_magnitude_vector.weight"}
"""transformers, which reads the text encoders', looks for adapters' names before ``.weight`` alone."""


def kohya_tensors(joints: Mapping[Place, Joint], dtype: torch.dtype) -> dict[str, Tensor]:
    """Under kohya's and LyCORIS' names, each layer with its alpha."""
    found: dict[str, Tensor] = {}
    for place, joint in joints.items():
        for ending, tensor in joint.factors.entries().items():
            found[f"{place.name}.{ending}"] = _written(ending, tensor, dtype)
        found[f"{place.name}.alpha"] = _exact(joint.factors.alpha, dtype)
    return found


def diffusers_tensors(joints: Mapping[Place, Joint], dtype: torch.dtype) -> dict[str, Tensor]:
    """Under peft's names, which have no alpha: its scale is multiplied into the upper factors."""
    found: dict[str, Tensor] = {}
    for place, joint in joints.items():
        for ending, tensor in joint.factors.entries().items():
            if ending == "lora_up.weight":
                tensor = tensor * (place.alpha / place.rank)
            elif ending == MAGNITUDE:
                tensor = tensor.flatten() if tensor.ndim == 2 else tensor.view(1, -1, 1, 1)
            theirs = (_PEFT_TEXT if place.target.role in TEXT_ROLES else _PEFT)[ending]
            found[f"{place.target.role}.{place.target.module}.{theirs}"] = _written(ending, tensor, dtype)
    return found


def kohya_metadata(options: LoraOptions) -> dict[str, str]:
    """What kohya's scripts, or LyCORIS in them, say of the network."""
    is_plain = options.algorithm == "lora" and not options.dora
    return {
        "ss_network_module": "networks.lora" if is_plain else "lycoris.kohya",
        "ss_network_dim": str(options.rank),
        "ss_network_alpha": f"{options.scale_alpha:g}",
        "ss_network_dropout": f"{options.dropout:g}" if options.dropout else "None",
        "ss_network_args": json.dumps(_arguments(options, is_plain=is_plain)),
    }


def check_written(path: Path, joints: Mapping[Place, Joint], parts: Mapping[str, Part], precision: str) -> bool:
    """The file, read as `generate` reads it, changes the trained layers as they were trained, and no others.

    Returns whether it changes any.
    """
    try:
        adapter = plan_adapter(path, parts, name=path.stem)
    except Incompatible as error:
        raise BrokenFile(path, f"it cannot be read back: {error}") from error
    trained = {place.target: joint for place, joint in joints.items()}
    if adapter.layers.keys() != trained.keys():
        known = len(adapter.layers.keys() & trained.keys())
        raise BrokenFile(path, f"{known} of {len(trained)} trained layers can be read back")
    tensors = read_factors(adapter, torch.device("cpu")).tensors
    changes = False
    for target, layer in adapter.layers.items():
        weight = trained[target].layer.weight.detach().float().cpu()
        if isinstance(layer, get_args(Additive)):
            found = delta_of(layer, tensors).reshape(weight.shape)
        else:
            found = applied(layer, weight.clone(), tensors, 1.0) - weight
        if not _is_like(found, _trained(trained[target]), _TOLERANCES[precision]):
            raise BrokenFile(path, f"{target.module} reads back other than it was trained")
        changes = changes or bool(found.any())
    return changes


@torch.no_grad()
def _trained(joint: Joint) -> Tensor:
    return joint.factors.delta(joint.layer.weight).float().cpu()


def _is_like(found: Tensor, trained: Tensor, tolerance: float) -> bool:
    """Half precision knows nothing below 6e-8, wherefore the bound does not go to 0 with what was learned."""
    least = 1e-6 * trained.numel() ** 0.5
    return bool((found - trained).norm() <= tolerance * trained.norm() + least)


def _written(ending: str, tensor: Tensor, dtype: torch.dtype) -> Tensor:
    return tensor.detach().to(torch.float32 if ending == MAGNITUDE else dtype).clone()


def _exact(alpha: float, dtype: torch.dtype) -> Tensor:
    """In float32 where the file's own type would round it."""
    rounded = torch.tensor(alpha, dtype=dtype)
    return rounded if rounded.item() == alpha else torch.tensor(alpha)


def _arguments(options: LoraOptions, *, is_plain: bool) -> dict[str, str]:
    """Those that differ from what the tool takes by itself; all values are texts."""
    found: dict[str, str] = {} if is_plain else {"algo": _LYCORIS[options.algorithm]}
    if options.conv_rank:
        found |= {"conv_dim": str(options.conv_rank), "conv_alpha": f"{options.scale_conv_alpha:g}"}
    told = {
        "dora_wd": options.dora,
        "rs_lora": options.rank_stabilized,
        "factor": options.factor if options.algorithm == "lokr" else 0,
        "constraint": options.constraint if options.algorithm == "oft" else 0,
        "rank_dropout": options.rank_dropout,
        "module_dropout": options.module_dropout,
        "loraplus_lr_ratio": options.plus_ratio if options.plus_ratio > 1 else 0,
    }
    return found | {name: str(value) for name, value in told.items() if value}
