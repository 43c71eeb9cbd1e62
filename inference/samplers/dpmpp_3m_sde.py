"""DPM++ 3M SDE: a third-order multistep solver in x0 with the noise of a Brownian path (k-diffusion, K. Crowson)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from inference.samplers._sampler import Denoise, Draw, Options, Sampler, Step

if TYPE_CHECKING:
    from torch import Tensor


def sample(denoise: Denoise, x: Tensor, sigmas: Sequence[float], draw: Draw, options: Options) -> Iterator[Step]:
    """x = e^(-H) x - expm1(-H) D + phi2(H) D' - phi3(H) D'' + noise, with h the step in -ln sigma, H = h (1 + eta).

    D' and D'' are the differences of the latest three guesses, by their distances in units of h.
    """
    eta = 1.0 if options.eta is None else options.eta
    past: list[tuple[Tensor, float]] = []
    for index, (sigma, following) in enumerate(pairwise(sigmas)):
        denoised = denoise(x, sigma)
        if following == 0:
            x = denoised
        else:
            h = math.log(sigma / following)
            whole = h * (1 + eta)
            x = x * math.exp(-whole) - denoised * math.expm1(-whole) + _corrections(denoised, past, h, whole)
            if eta:
                deviation = following * math.sqrt(-math.expm1(-2 * eta * h))
                x = x + draw.between(sigma, following) * (deviation * options.noise)
            past = [(denoised, h), *past[:1]]
        yield Step(index, x, denoised)


def _corrections(denoised: Tensor, past: Sequence[tuple[Tensor, float]], h: float, whole: float) -> Tensor | float:
    """`past` holds (guess, step made with it), the latest first."""
    if not past:
        return 0.0
    phi2 = math.expm1(-whole) / whole + 1
    slopes = [(denoised - past[0][0]) / (past[0][1] / h)]
    if len(past) == 1:
        return slopes[0] * phi2
    r0, r1 = past[0][1] / h, past[1][1] / h
    slopes.append((past[0][0] - past[1][0]) / r1)
    bend = (slopes[0] - slopes[1]) / (r0 + r1)
    return (slopes[0] + bend * r0) * phi2 - bend * (phi2 / whole - 0.5)


SAMPLER = Sampler("DPM++ 3M SDE", ("k_dpmpp_3m_sde",), default_schedule="Exponential", sample=sample, discards=True)
