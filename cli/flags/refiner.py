"""Another checkpoint for the last steps."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import typer

__all__ = ["RefinerFlags"]


@dataclass(frozen=True, slots=True)
class RefinerFlags:
    """webui's Refiner."""

    section: ClassVar = "Refiner"

    refiner: Annotated[
        str | None, typer.Option(metavar="REF", help="Checkpoint that takes over for the last noise levels.")
    ] = None
    refiner_switch: Annotated[float, typer.Option(help="Share of the noise's time that is over by then.")] = 0.8
    refiner_pass: Annotated[
        str, typer.Option(help="With --hires, the pass that it ends: second pass, first pass or both passes.")
    ] = "second pass"

    def fields(self) -> Mapping[str, Any]:
        """Of a request."""
        if self.refiner is None:
            return {"refiner": None}
        switch = {"switch_at": self.refiner_switch, "in_hires": self.refiner_pass}
        return {"refiner": {"model": self.refiner, **switch}}
