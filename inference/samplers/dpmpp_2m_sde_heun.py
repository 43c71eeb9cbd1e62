"""DPM++ 2M SDE Heun: DPM++ 2M with the noise of a Brownian path, Heun's factor (Lu et al. 2022)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from inference.samplers._dpmpp_2m_sde import sample_2m_sde
from inference.samplers._sampler import Denoise, Draw, Options, Sampler, Step

if TYPE_CHECKING:
    from torch import Tensor


def sample(denoise: Denoise, x: Tensor, sigmas: Sequence[float], draw: Draw, options: Options) -> Iterator[Step]:
    return sample_2m_sde(denoise, x, sigmas, draw, options, lambda whole: 1 + math.expm1(-whole) / whole)


SAMPLER = Sampler("DPM++ 2M SDE Heun", ("k_dpmpp_2m_sde_heun",), default_schedule="Exponential", sample=sample)
