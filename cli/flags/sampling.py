"""How the noise goes: sampler, schedule, guidance, seeds."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Any, ClassVar

import typer

from cli.flags.canvas import sides
from modelhub.errors import BadValue

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

    section: ClassVar = "Sampling"

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
    variation: Annotated[
        str | None,
        typer.Option(metavar="SEED:STRENGTH", help="Mix in a second seed's noise; its seeds count up, not --seed's."),
    ] = None
    seed_resize: Annotated[
        str | None, typer.Option(metavar="WxH", help="Size whose noise is kept in the middle: a seed's likeness.")
    ] = None
    ensd: Annotated[int, typer.Option(help="Added to the seed for all noise but the first.")] = 0
    sigma_min: Annotated[float | None, typer.Option(help="Noise level that the schedule ends at.")] = None
    sigma_max: Annotated[float | None, typer.Option(help="Noise level that the schedule begins at.")] = None
    rho: Annotated[float | None, typer.Option(help="Bend of Karras and Polyexponential.")] = None
    shift: Annotated[float | None, typer.Option(help="Of flow models: above 1, more steps at much noise.")] = None
    discard_next_to_last: Annotated[
        bool, typer.Option("--discard-next-to-last", help="Leave out the last noise level but one.")
    ] = False
    min_uncond: Annotated[
        float, typer.Option(help="Noise level below which every other step does without the negative prompt.")
    ] = 0.0

    def fields(self) -> Mapping[str, Any]:
        """Of a request."""
        said = asdict(self)
        said["variation"] = _variation(self.variation) if self.variation else None
        said["seed_resize"] = sides(self.seed_resize, "--seed-resize") if self.seed_resize else None
        return said


def _variation(text: str) -> Mapping[str, Any]:
    """``SEED:STRENGTH``, or ``:STRENGTH`` for a random seed; raises `BadValue`."""
    seed, colon, strength = text.rpartition(":")
    try:
        if not colon:
            raise ValueError
        return {"seed": int(seed or -1), "strength": float(strength)}
    except ValueError:
        raise BadValue(f"{text!r} is no variation", mend="write --variation 1234:0.3, or :0.3 for any seed") from None
