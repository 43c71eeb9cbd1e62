"""What a rendering will need of the memory, from its plan alone (no torch).

Weights are counted; what is alive at once while a network runs was counted tensor by tensor over its forward pass
(`benchmarks/activations.py`) and found to grow with rows and pixels alone, since attention keeps no table of scores.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import prod

from inference.plan import LoadPlan, ModelPlan
from inference.prompt.composition import split_parts
from inference.weights.parts import UNET, VAE, Part

__all__ = ["Estimate", "estimate", "giga", "largest_size"]

_ALIVE = {"sd1": 26.1, "sd2": 26.1, "sdxl": 15.9, "sdxl-refiner": 15.9}
"""Numbers alive at once in a UNet: times rows, latent pixels and channels of its first level."""
_ALIVE_DECODING = 6.0
"""In a VAE: times pixels and channels of its first level."""
_WORKSPACE = 1.35
"""What convolutions take besides while they run."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Bytes."""

    models: int
    """Weights of all that is loaded at once."""
    denoising: int
    decoding: int
    """One after the other."""

    @property
    def total(self) -> int:
        return self.models + max(self.denoising, self.decoding)

    def __str__(self) -> str:
        return (
            f"about {giga(self.total)} (models {giga(self.models)}, drawing {giga(max(self.denoising, self.decoding))})"
        )


def estimate(plan: LoadPlan, itemsize: Callable[[str], int], *, batch: int | None = None) -> Estimate:
    """For `batch` images at a time, the request's own number by default; `itemsize` is a role's bytes a number."""
    batch = batch or plan.request.batch
    models = [one for one in (plan.base, plan.hires, plan.refiner) if one]
    sizes = [plan.size, *([_second_size(plan)] if plan.hires else [])]
    rows = batch * (1 + len(split_parts(plan.request.prompt)))
    parts = {id(part): part for model in models for part in model.parts.values()}
    controls = [control.part for control in plan.controls]
    return Estimate(
        models=sum(_weights(part, itemsize) for part in [*parts.values(), *controls]) + sum(map(_kept, models)),
        denoising=max(_denoising(model, size, rows, itemsize(UNET)) for model in models for size in sizes),
        decoding=max(_decoding(model, size, batch, itemsize(VAE)) for model in models for size in sizes),
    )


def largest_size(plan: LoadPlan, itemsize: Callable[[str], int], room: int) -> tuple[int, int] | None:
    """Width and height of the largest picture of that shape that fits into `room` bytes alone; None for none at all."""
    for percent in range(95, 5, -5):
        size = tuple(max(64, int(side * percent / 100) // 64 * 64) for side in plan.size)
        smaller = plan.request.model_copy(update={"width": size[0], "height": size[1]})
        if estimate(replace(plan, request=smaller), itemsize, batch=1).total <= room:
            return size[0], size[1]
    return None


def giga(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e8 else f"{size / 1e6:.0f} MB"


def _second_size(plan: LoadPlan) -> tuple[int, int]:
    """Of the second pass; where it cuts off what hangs over, a little more than it is."""
    hires, (width, height) = plan.request.hires, plan.size
    if hires is None:
        return plan.size
    if hires.width or hires.height:
        return hires.width or hires.height or width, hires.height or hires.width or height
    scale = hires.scale or 1.0
    return int(width * scale), int(height * scale)


def _weights(part: Part, itemsize: Callable[[str], int]) -> int:
    return sum(map(prod, part.shapes.values())) * itemsize(part.role)


def _kept(model: ModelPlan) -> int:
    """What adapters replaced, so that it can be put back."""
    touched = {target for adapter in model.adapters for target in adapter.layers}
    shapes = (model.parts[target.role].shapes.get(target.name, ()) for target in touched)
    return 4 * sum(map(prod, shapes))


def _denoising(model: ModelPlan, size: tuple[int, int], rows: int, itemsize: int) -> int:
    _, height, width = model.family.latent.shape(size)
    channels = model.parts[UNET].config["block_out_channels"][0]
    return int(_ALIVE.get(model.family.name, 26.1) * _WORKSPACE * rows * height * width * channels * itemsize)


def _decoding(model: ModelPlan, size: tuple[int, int], batch: int, itemsize: int) -> int:
    channels = model.parts[VAE].config["block_out_channels"][0]
    return int(_ALIVE_DECODING * _WORKSPACE * batch * size[0] * size[1] * channels * itemsize)
