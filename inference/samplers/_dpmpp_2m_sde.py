"""DPM-Solver++(2M) with the noise of a Brownian path: the rule, which differs in one factor from flavour to flavour."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from inference.samplers._sampler import Denoise, Draw, Options, Step

if TYPE_CHECKING:
    from torch import Tensor


__all__ = ["sample_2m_sde"]


def sample_2m_sde(
    denoise: Denoise,
    x: Tensor,
    sigmas: Sequence[float],
    draw: Draw,
    options: Options,
    correction: Callable[[float], float],
) -> Iterator[Step]:
    """x = (sigma'/sigma) e^(-eta h) x - expm1(-H) D + correction(H) (D - D_previous) h / h_previous + noise.

    Here h is the step in -ln sigma and H = h (1 + eta); the last step is the guess itself (Lu et al. 2022).
    """
    eta = 1.0 if options.eta is None else options.eta
    previous: Tensor | None = None
    previous_h = 0.0
    for index, (sigma, following) in enumerate(pairwise(sigmas)):
        denoised = denoise(x, sigma)
        if following == 0:
            x = denoised
        else:
            h = math.log(sigma / following)
            whole = h * (1 + eta)
            x = x * math.exp(-whole) - denoised * math.expm1(-whole)
            if previous is not None:
                x = x + (denoised - previous) * (correction(whole) * h / previous_h)
            if eta:
                deviation = following * math.sqrt(-math.expm1(-2 * eta * h))
                x = x + draw.between(sigma, following) * (deviation * options.noise)
            previous, previous_h = denoised, h
        yield Step(index, x, denoised)
