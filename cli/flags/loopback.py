"""A picture drawn over again and again."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from modelhub.errors import BadValue

if TYPE_CHECKING:
    from inference.images.inputs import Inputs
    from inference.series import Series

__all__ = ["LoopbackFlags"]


@dataclass(frozen=True, slots=True)
class LoopbackFlags:
    """webui's Loopback."""

    section: ClassVar = "Again and again (Loopback)"

    loopback: Annotated[
        int | None, typer.Option(min=1, metavar="LOOPS", help="Draw over --init, then over the result, so many times.")
    ] = None
    loopback_denoise: Annotated[
        float | None,
        typer.Option(min=0.0, max=1.0, help="--denoise of the last time.", show_default="that of the first"),
    ] = None
    loopback_curve: Annotated[
        str, typer.Option(help="How it gets there: linear, aggressive (most of it soon) or lazy (most of it late).")
    ] = "linear"

    def around(self, series: "Series", inputs: "Inputs") -> "Series":
        """The series with each picture drawn over again and again; as it is where that is not asked for."""
        if self.loopback is None:
            if self != LoopbackFlags():
                raise BadValue("there is no loop to say this of", mend="modelhub generate ... --loopback 4")
            return series
        from inference.loopback import CURVES, looped

        if self.loopback_curve not in CURVES:
            raise BadValue(f"{self.loopback_curve!r} is no curve ({', '.join(CURVES)})")
        return looped(series, self.loopback, final=self.loopback_denoise, curve=self.loopback_curve, inputs=inputs)
