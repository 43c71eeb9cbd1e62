"""What the denoiser is asked for, and how its answers are judged."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

import typer

from cli.flags.entries import Entry

__all__ = ["ObjectiveFlags"]


@dataclass(frozen=True, slots=True)
class ObjectiveFlags:
    """Entries below `noise` and `loss`."""

    section: ClassVar = "Noise and loss"

    loss: Annotated[
        str | None,
        typer.Option(help="How differences count: l2, l1, huber or smooth_l1.", show_default="l2"),
        Entry("loss.kind"),
    ] = None
    min_snr: Annotated[
        float | None,
        typer.Option(
            metavar="GAMMA", help="Most weight of nearly clean samples; 0 is off.", show_default="the preset's"
        ),
        Entry("loss.min_snr_gamma"),
    ] = None
    debiased: Annotated[
        bool | None,
        typer.Option(
            "--debiased/--no-debiased", help="Weigh by 1/sqrt(SNR), in place of --min-snr.", show_default=False
        ),
        Entry("loss.debiased"),
    ] = None
    noise_offset: Annotated[
        float | None,
        typer.Option(help="For very dark and bright pictures; 0.05 is usual.", show_default="the preset's"),
        Entry("noise.offset"),
    ] = None
    multires_noise: Annotated[
        int | None, typer.Option(metavar="N", help="Levels of coarser noise."), Entry("noise.multires_iterations")
    ] = None
    prediction: Annotated[
        str | None,
        typer.Option(help="What the base predicts: epsilon, v or flow.", show_default="what the base's file says"),
        Entry("prediction"),
    ] = None
    zero_snr: Annotated[
        bool | None,
        typer.Option("--zero-snr/--no-zero-snr", help="Train v down to no signal.", show_default=False),
        Entry("noise.zero_terminal_snr"),
    ] = None
    clip_skip: Annotated[
        int | None,
        typer.Option(help="Layer of the text encoder to read, from its end.", show_default="1"),
        Entry("clip_skip"),
    ] = None
