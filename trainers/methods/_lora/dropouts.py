"""What a step leaves out, as a function of seed and step: recomputed activations and resumed steps see the same."""

from collections.abc import Sequence

import torch
from torch import Tensor

from trainers.chance import generator
from trainers.methods._lora.factors import WHOLE, Kept
from trainers.methods._lora.joint import Joint
from trainers.recipe import LoraOptions

__all__ = ["leave_out", "put_back"]


def leave_out(joints: Sequence[Joint], options: LoraOptions, seed: int, step: int) -> None:
    """Choose by lot which layers, ranks and inputs sit this step out.

    Inputs and ranks do so for all pictures of the step alike (https://arxiv.org/abs/2404.09610), so that nothing
    depends on what is computed at once.
    """
    modules = torch.rand(len(joints), generator=generator(seed, step, "module dropout")).tolist()
    for joint, number, kept in zip(joints, modules, _drawn(joints, options, seed, step), strict=True):
        joint.factors.kept = kept
        if number < options.module_dropout:
            joint.leave()
        else:
            joint.join()


def put_back(joints: Sequence[Joint]) -> None:
    """All of everything takes part again."""
    for joint in joints:
        joint.factors.kept = WHOLE
        joint.join()


def _drawn(joints: Sequence[Joint], options: LoraOptions, seed: int, step: int) -> list[Kept]:
    """In one draw for all layers, which is brought to the device at once."""
    if not (options.dropout or options.rank_dropout):
        return [WHOLE] * len(joints)
    sizes = [size for joint in joints for size in (joint.layer.weight.shape[1], joint.factors.ranks)]
    drawn = torch.rand(sum(sizes), generator=generator(seed, step, "dropout"))
    numbers = torch.split(drawn.to(joints[0].layer.weight.device), sizes)
    return [
        Kept(_share(inputs, options.dropout), _share(ranks, options.rank_dropout))
        for inputs, ranks in zip(numbers[::2], numbers[1::2], strict=True)
    ]


def _share(numbers: Tensor, rate: float) -> Tensor | None:
    return (numbers >= rate).float() / (1 - rate) if rate else None
