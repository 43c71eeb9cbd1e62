"""Going on from a LoRA that is there already."""

from collections.abc import Mapping
from typing import get_args

import torch
from torch import Tensor

from inference.adapters.algorithms import delta_of
from inference.adapters.layers import Additive, Decomposed, Hadamard, Kronecker, Layer, LowRank, Orthogonal
from inference.adapters.merge import read_factors
from inference.plan import AdapterPlan
from modelhub.errors import Incompatible
from trainers.methods._lora.joint import Joint
from trainers.methods._lora.places import Place

__all__ = ["go_on"]


@torch.no_grad()
def go_on(joints: Mapping[Place, Joint], start: AdapterPlan) -> None:
    """Fill the factors with those of the file; raises `Incompatible` unless it has just these, and nothing else."""
    ours = {place.target: (place, joint) for place, joint in joints.items()}
    _check_same_layers({place.target: place for place in joints}, start)
    tensors = read_factors(start, torch.device("cpu")).tensors
    for target, layer in start.layers.items():
        place, joint = ours[target]
        _fill(place, joint, _entries(layer, tensors), start)
        if isinstance(layer, get_args(Additive)):
            theirs = delta_of(layer, tensors).reshape(place.shape)
            if not torch.allclose(joint.factors.delta(joint.layer.weight).cpu(), theirs, rtol=1e-3, atol=1e-6):
                raise _differs(start, f"{target.module} is scaled otherwise: its alpha is not {place.alpha:g}")


def _check_same_layers(ours: Mapping[object, Place], start: AdapterPlan) -> None:
    if missing := [place.target.module for target, place in ours.items() if target not in start.layers]:
        raise _differs(start, f"it lacks {len(missing)} of the layers that are to be trained, {missing[0]} the first")
    if more := [target.module for target in start.layers if target not in ours]:
        raise _differs(start, f"it changes {len(more)} layers that are not to be trained, {more[0]} the first")


def _fill(place: Place, joint: Joint, entries: Mapping[str, Tensor], start: AdapterPlan) -> None:
    wanted = joint.factors.entries()
    if entries.keys() != wanted.keys():
        raise _differs(start, f"{place.target.module} is of another algorithm")
    for ending, parameter in wanted.items():
        if entries[ending].numel() != parameter.numel():
            sizes = [list(one.shape) for one in (entries[ending], parameter)]
            raise _differs(start, f"{ending} of {place.target.module} is {sizes[0]}, where {sizes[1]} is to be trained")
        parameter.copy_(entries[ending].view(parameter.shape))


def _entries(layer: Layer, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Endings of names, as our factors have them -> the file's tensors."""
    match layer:
        case Decomposed(inner=inner, magnitude=magnitude, by_row=True):
            return {**_entries(inner, tensors), "dora_scale": tensors[magnitude]}
        case LowRank(mid=None):
            return {"lora_down.weight": tensors[layer.down], "lora_up.weight": tensors[layer.up]}
        case Hadamard(t1=None):
            return {f"hada_{one}": tensors[getattr(layer, one)] for one in ("w1_a", "w1_b", "w2_a", "w2_b")}
        case Kronecker(t2=None):
            parts = ("w1", "w1_a", "w1_b", "w2", "w2_a", "w2_b")
            return {f"lokr_{one}": tensors[name] for one in parts if (name := getattr(layer, one))}
        case Orthogonal(turned=False, rescale=None):
            return {"oft_blocks": tensors[layer.blocks]}
    return {}


def _differs(start: AdapterPlan, how: str) -> Incompatible:
    return Incompatible(
        f"training cannot go on from {start.name}: {how}",
        mend=f"modelhub show {start.name}, and give the recipe its algorithm, layers, rank and alpha",
    )
