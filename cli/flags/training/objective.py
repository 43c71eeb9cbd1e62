"""What the denoiser is asked for, and how its answers are judged."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

import typer

__all__ = ["ObjectiveFlags"]


@dataclass(frozen=True, slots=True)
class ObjectiveFlags:
    """Entries below `noise` and `loss`."""

    section: ClassVar = "Noise and loss"

    loss: Annotated[
        str | None, typer.Option(help="How differences count: l2, l1, huber or smooth_l1.", show_default="l2")
    ] = None
    min_snr: Annotated[
        float | None,
        typer.Option(
            metavar="GAMMA", help="Most weight of nearly clean samples; 0 is off.", show_default="the preset's"
        ),
    ] = None
    debiased: Annotated[
        bool | None,
        typer.Option(
            "--debiased/--no-debiased", help="Weigh by 1/sqrt(SNR), in place of --min-snr.", show_default=False
        ),
    ] = None
    noise_offset: Annotated[
        float | None,
        typer.Option(help="For very dark and bright pictures; 0.05 is usual.", show_default="the preset's"),
    ] = None
    multires_noise: Annotated[int | None, typer.Option(metavar="N", help="Levels of coarser noise.")] = None
    prediction: Annotated[
        str | None,
        typer.Option(help="What the base predicts: epsilon, v or flow.", show_default="what the base's file says"),
    ] = None
    zero_snr: Annotated[
        bool | None, typer.Option("--zero-snr/--no-zero-snr", help="Train v down to no signal.", show_default=False)
    ] = None
    clip_skip: Annotated[
        int | None, typer.Option(help="Layer of the text encoder to read, from its end.", show_default="1")
    ] = None

    def entries(self) -> Mapping[str, object]:
        return {
            "loss.kind": self.loss,
            "loss.min_snr_gamma": self.min_snr,
            "loss.debiased": self.debiased,
            "noise.offset": self.noise_offset,
            "noise.multires_iterations": self.multires_noise,
            "prediction": self.prediction,
            "noise.zero_terminal_snr": self.zero_snr,
            "clip_skip": self.clip_skip,
        }
