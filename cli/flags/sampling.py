"""How the noise goes: sampler, schedule, guidance, seeds."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Any

import typer

__all__ = ["SamplingFlags"]

_SAMPLERS = (
    "DDIM, DDIM CFG++, DPM2, DPM2 a, DPM adaptive, DPM fast, DPM++ 2M, DPM++ 2M SDE, DPM++ 2M SDE Heun, DPM++ 2S a, "
    "DPM++ 3M SDE, DPM++ SDE, Euler, Euler a, Heun, LCM, LMS, PLMS, Restart or UniPC; a schedule may follow"
)
_SCHEDULES = (
    "Automatic, Uniform, Karras, Exponential, Polyexponential, SGM Uniform, KL Optimal, Align Your Steps, Simple, "
    "Normal, DDIM or Beta"
)


@dataclass(frozen=True, slots=True)
class SamplingFlags:
    """Named as the fields of a request are."""

    steps: Annotated[int, typer.Option(help="Sampling steps.")] = 20
    cfg: Annotated[float, typer.Option(help="Guidance: how strictly the prompt is followed; 1 is without.")] = 7.0
    sampler: Annotated[str, typer.Option(help=f"{_SAMPLERS}.")] = "DPM++ 2M"
    schedule: Annotated[str, typer.Option(help=f"{_SCHEDULES}.")] = "Automatic"
    eta: Annotated[
        float | None, typer.Option(help="Share of fresh noise in each step.", show_default="the sampler's own")
    ] = None
    s_churn: Annotated[float, typer.Option(help="Noise added before steps of Euler, Heun and DPM2.")] = 0.0
    s_tmin: Annotated[float, typer.Option(help="Noise level that churn stops at.")] = 0.0
    s_tmax: Annotated[float, typer.Option(help="Noise level that churn starts at; 0 is any.")] = 0.0
    s_noise: Annotated[float, typer.Option(help="Factor on all noise that samplers add.")] = 1.0
    seed: Annotated[int, typer.Option(help="Of the first image, the next ones count up; -1 is a random one.")] = -1
    noise: Annotated[str, typer.Option(help="NV draws an NVIDIA card's noise anywhere; CPU is torch's own.")] = "NV"

    def fields(self) -> Mapping[str, Any]:
        """Of a request."""
        return asdict(self)
