"""DPM++ 2M: second-order multistep solver in x0, deterministic (Lu et al. 2022, https://arxiv.org/abs/2211.01095)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from inference.samplers._sampler import Denoise, Draw, Options, Sampler, Step

if TYPE_CHECKING:
    from torch import Tensor


def sample(denoise: Denoise, x: Tensor, sigmas: Sequence[float], draw: Draw, options: Options) -> Iterator[Step]:
    """Algorithm 2 of the paper in t = -ln sigma: x = (sigma'/sigma) x - expm1(-h) D', first order at both ends.

    D' leans on the previous guess by half the ratio of the steps: D + (D - D_previous) h / (2 h_previous).
    """
    previous: Tensor | None = None
    previous_h = 0.0
    for index, (sigma, following) in enumerate(pairwise(sigmas)):
        denoised = denoise(x, sigma)
        h = math.log(sigma / following) if following > 0 else math.inf
        lean = h / (2 * previous_h) if previous is not None and following > 0 else 0.0
        pull = -math.expm1(-h)
        x = (x * (following / sigma)).add_(denoised, alpha=pull * (1 + lean))
        if previous is not None and lean:
            x = x.add_(previous, alpha=-pull * lean)
        previous, previous_h = denoised, h
        yield Step(index, x, denoised)


SAMPLER = Sampler("DPM++ 2M", ("k_dpmpp_2m",), default_schedule="Karras", sample=sample)
