"""LMS: Adams-Bashforth of order 4 in sigma, its weights integrated exactly (k-diffusion, K. Crowson 2022)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from inference.samplers._sampler import Denoise, Draw, Options, Sampler, Step

if TYPE_CHECKING:
    from torch import Tensor


_ORDER = 4
_GAUSS = 1 / math.sqrt(3)
"""Two points at this distance from the middle integrate a cubic exactly."""


def sample(denoise: Denoise, x: Tensor, sigmas: Sequence[float], draw: Draw, options: Options) -> Iterator[Step]:
    """x += sum of w_j d_j over the latest slopes, w_j the integral of their Lagrange polynomial."""
    slopes: list[Tensor] = []
    for index in range(len(sigmas) - 1):
        denoised = denoise(x, sigmas[index])
        slopes = [(x - denoised) / sigmas[index], *slopes[: _ORDER - 1]]
        nodes = [sigmas[index - back] for back in range(len(slopes))]
        for at, slope in enumerate(slopes):
            x = x + slope * weight(nodes, at, sigmas[index + 1])
        yield Step(index, x, denoised)


def weight(nodes: Sequence[float], at: int, end: float) -> float:
    """Integral from the first node to `end` of the polynomial that is 1 at node `at` and 0 at the others."""
    middle, half = (nodes[0] + end) / 2, (end - nodes[0]) / 2
    points = (middle - half * _GAUSS, middle + half * _GAUSS)
    others = [node for index, node in enumerate(nodes) if index != at]
    return half * sum(math.prod((point - node) / (nodes[at] - node) for node in others) for point in points)


SAMPLER = Sampler("LMS", ("k_lms",), default_schedule="Uniform", sample=sample)
