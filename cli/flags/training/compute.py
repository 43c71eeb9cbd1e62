"""With what numbers it is computed, and what is spent to save memory."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

import typer

__all__ = ["ComputeFlags"]


@dataclass(frozen=True, slots=True)
class ComputeFlags:
    """Entries below `compute`, and the device."""

    section: ClassVar = "Memory and speed"

    precision: Annotated[
        str | None, typer.Option(help="Of the frozen base: auto, fp32, bf16 or fp16.", show_default="auto")
    ] = None
    micro_batch: Annotated[
        int | None,
        typer.Option(metavar="N", help="Pictures computed at once: less memory, same result.", show_default="all"),
    ] = None
    checkpointing: Annotated[
        bool | None,
        typer.Option("--checkpointing/--no-checkpointing", help="Less memory, more time.", show_default=False),
    ] = None
    ema: Annotated[
        float | None,
        typer.Option(metavar="DECAY", help="Write a running mean of the weights, e.g. 0.999.", show_default="0"),
    ] = None
    compile: Annotated[
        bool | None, typer.Option("--compile/--no-compile", help="Faster on a GPU, later to begin.", show_default=False)
    ] = None
    device: Annotated[
        str | None, typer.Option(help="Where it is computed: auto, cpu or cuda.", show_default="auto")
    ] = None

    def entries(self) -> Mapping[str, object]:
        return {
            "compute.precision": self.precision,
            "compute.micro_batch": self.micro_batch,
            "compute.checkpointing": self.checkpointing,
            "compute.ema": self.ema,
            "compute.compile": self.compile,
        }
