"""Going on from a LoRA that is there already."""

from collections.abc import Mapping
from typing import get_args

import torch

from inference.adapters.algorithms import delta_of
from inference.adapters.layers import Additive
from inference.adapters.merge import read_factors
from inference.plan import AdapterPlan
from trainers.methods._lora.endings import differs, endings
from trainers.methods._lora.joint import Joint
from trainers.methods._lora.places import Place

__all__ = ["go_on"]


@torch.no_grad()
def go_on(joints: Mapping[Place, Joint], start: AdapterPlan) -> None:
    """Fill the factors with those of a file that was found to fit; raises `Incompatible` if its scales do not."""
    ours = {place.target: (place, joint) for place, joint in joints.items()}
    tensors = read_factors(start, torch.device("cpu")).tensors
    for target, layer in start.layers.items():
        place, joint = ours[target]
        names = endings(layer)
        for ending, parameter in joint.factors.entries().items():
            parameter.copy_(tensors[names[ending]].view(parameter.shape))
        if isinstance(layer, get_args(Additive)):
            theirs = delta_of(layer, tensors).reshape(place.shape)
            if not torch.allclose(joint.factors.delta(joint.layer.weight).cpu(), theirs, rtol=1e-3, atol=1e-6):
                raise differs(start, f"{target.module} is scaled otherwise: its alpha is not {place.alpha:g}")
