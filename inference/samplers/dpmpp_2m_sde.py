"""DPM++ 2M SDE: DPM++ 2M with the noise of a Brownian path, the midpoint's factor (Lu et al. 2022)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from inference.samplers._dpmpp_2m_sde import sample_2m_sde
from inference.samplers._sampler import Denoise, Draw, Options, Sampler, Step

if TYPE_CHECKING:
    from torch import Tensor


def sample(denoise: Denoise, x: Tensor, sigmas: Sequence[float], draw: Draw, options: Options) -> Iterator[Step]:
    return sample_2m_sde(denoise, x, sigmas, draw, options, lambda whole: -math.expm1(-whole) / 2)


SAMPLER = Sampler("DPM++ 2M SDE", ("k_dpmpp_2m_sde",), default_schedule="Exponential", sample=sample)
