"""A plan's ControlNets made ready for one pass: loaded, their hints made at the size that is drawn."""

import torch
from torch import Tensor, nn

from inference.control.hints import hint
from inference.control.unit import ControlUnit
from inference.engine import Engine
from inference.images.inputs import Inputs
from inference.passes import Pass
from inference.plan import LoadPlan, ModelPlan
from inference.request import ControlUse
from inference.weights.load import load_part
from inference.weights.parts import UNET, Part

__all__ = ["control_units"]

_HARD_EDGES = ("canny",)
"""Preprocessors whose hints would be followed too closely once more in a second pass."""


def control_units(
    plan: LoadPlan, model: ModelPlan, engine: Engine, way: Pass, size: tuple[int, int], *, second: bool = False
) -> tuple[ControlUnit, ...]:
    """Those of `plan` for a pass that `model` draws; `second` says that it follows another one.

    A model of another family than the base, as a refiner may be, is not controlled.
    """
    if model.family != plan.base.family:
        return ()
    steps = max(len(way.levels(model.table).taken) - 1, 1)
    return tuple(
        ControlUnit(
            net=_joined(one.part, model.parts[UNET], engine) if one.difference else engine.load(one.part),
            hint=_as_tensor(one.use, plan.inputs, size).to(engine.device),
            weight=one.use.weight,
            start=one.use.start,
            end=one.use.end,
            mode=_mode(one.use, second=second),
            steps=steps,
            calls=way.sampler.calls,
            pooled=one.pooled,
        )
        for one in plan.controls
    )


def _mode(use: ControlUse, *, second: bool) -> str:
    softened = second and use.mode == "balanced" and use.preprocessor in _HARD_EDGES
    return "prompt" if softened else use.mode


def _as_tensor(use: ControlUse, inputs: Inputs, size: tuple[int, int]) -> Tensor:
    """[1, 3, H, W], 0..1."""
    picture = hint(inputs.open(use.image), use, size)
    return torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 255


def _joined(part: Part, unet: Part, engine: Engine) -> nn.Module:
    """What was saved as the difference to its base: added to the base at hand."""
    net = load_part(part, device=engine.device, dtype=engine.dtype(part.role))
    shared = [name for name in part.keys if name in unet.keys]
    base = load_part(unet, device=engine.device, dtype=engine.dtype(part.role)).state_dict()
    own = net.state_dict()
    net.load_state_dict({**own, **{name: own[name] + base[name] for name in shared}}, assign=True)
    return net.requires_grad_(False)
