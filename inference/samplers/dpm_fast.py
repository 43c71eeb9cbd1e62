"""DPM fast: DPM-Solver of order 3 with as many model calls as steps (Lu et al. 2022, https://arxiv.org/abs/2206.00927)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from inference.samplers._dpm import Solver, down_to_smallest, over_latents, stretch
from inference.samplers._sampler import Denoise, Draw, Options, Sampler, Step
from inference.schedules import AUTOMATIC, ramp

if TYPE_CHECKING:
    from torch import Tensor


def sample(denoise: Denoise, x: Tensor, sigmas: Sequence[float], draw: Draw, options: Options) -> Iterator[Step]:
    """Segments even in -ln sigma, of order 3 but the last; takes the ends and the number of `sigmas` alone."""
    eta = 1.0 if options.eta is None else options.eta
    end = -math.log(sigmas[-1])
    calls = len(sigmas) - 1
    orders = orders_of(calls)
    done = 0
    places = ramp(-math.log(sigmas[0]), end, len(orders) + 1)
    for order, (t, following) in zip(orders, pairwise(places), strict=True):
        to, up = stretch(t, following, end, eta)
        solver = Solver(denoise, x, t)
        x = solver.step(order, to) + draw() * (up * options.noise)
        done += order
        yield Step(done - 1, x, solver.guess())


def orders_of(calls: int) -> list[int]:
    """Each segment's order; they sum to the calls."""
    whole, left = divmod(calls, 3)
    return [3] * whole + [left] if left else [3] * (whole - 1) + [2, 1]


SAMPLER = Sampler(
    "DPM fast", ("k_dpm_fast",), AUTOMATIC, sample, grid=down_to_smallest, only_grid=True, over=over_latents
)
