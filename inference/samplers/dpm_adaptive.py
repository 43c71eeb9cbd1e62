"""DPM adaptive: DPM-Solver of order 3 whose step size follows its own error (Lu et al. 2022, arXiv 2206.00927)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from inference.samplers._dpm import Solver, down_to_smallest, over_latents, stretch
from inference.samplers._sampler import Denoise, Draw, Options, Sampler, Step
from inference.schedules import AUTOMATIC

if TYPE_CHECKING:
    from torch import Tensor

_RELATIVE, _ABSOLUTE = 0.05, 0.0078
"""How far the second and third order may differ."""
_FIRST_H, _ACCEPTED = 0.05, 0.81


def sample(denoise: Denoise, x: Tensor, sigmas: Sequence[float], draw: Draw, options: Options) -> Iterator[Step]:
    """Takes the ends of `sigmas` alone; how many steps are taken is up to the picture.

    What differs too much is thrown away and tried again with a smaller step. A step's index says how much of the
    way is behind, as a share of the steps that were asked for.
    """
    eta = 1.0 if options.eta is None else options.eta
    t, end = -math.log(sigmas[0]), -math.log(sigmas[-1])
    way, steps, h, accepted = end - t, len(sigmas) - 1, _FIRST_H, x
    solver = Solver(denoise, x, t)
    while t < end - 1e-5:
        following = min(end, t + h)
        to, up = stretch(t, following, end, eta)
        lower, higher = solver.step(2, to, r1=1 / 3), solver.step(3, to)
        factor = _growth(_error(lower, higher, accepted), 1.5 if eta else 3.0)
        h *= factor
        if factor >= _ACCEPTED:
            denoised, accepted = solver.guess(), lower
            t, x = following, higher + draw() * (up * options.noise)
            solver = Solver(denoise, x, t)
            yield Step(max(0, steps - 1 - math.floor(steps * (end - t) / way)), x, denoised)


def _error(lower: Tensor, higher: Tensor, accepted: Tensor) -> float:
    """Root mean square of the difference, in units of what is allowed; the one number that is read from the device."""
    allowed = (lower.abs().maximum(accepted.abs()) * _RELATIVE).clamp(min=_ABSOLUTE)
    return float(((lower - higher) / allowed).square().mean().sqrt())


def _growth(error: float, order: float) -> float:
    """Of the step size: an integral controller, limited; a broken guess is let through, for its picture tells."""
    if not math.isfinite(error):
        return 1.0
    return 1 + math.atan((error + 1e-8) ** (-1 / order) - 1)


SAMPLER = Sampler(
    "DPM adaptive",
    ("k_dpm_ad",),
    AUTOMATIC,
    sample,
    grid=down_to_smallest,
    over=over_latents,
    only_grid=True,
    adaptive=True,
)
