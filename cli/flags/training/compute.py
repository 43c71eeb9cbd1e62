"""With what numbers it is computed, and what is spent to save memory."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

import typer

from cli.flags.entries import Entry

__all__ = ["ComputeFlags"]


@dataclass(frozen=True, slots=True)
class ComputeFlags:
    """Entries below `compute`, and the device."""

    section: ClassVar = "Memory and speed"

    precision: Annotated[
        str | None,
        typer.Option(help="Of the frozen base: auto, fp32, bf16 or fp16.", show_default="auto"),
        Entry("compute.precision"),
    ] = None
    micro_batch: Annotated[
        int | None,
        typer.Option(metavar="N", help="Pictures computed at once: less memory, same result.", show_default="all"),
        Entry("compute.micro_batch"),
    ] = None
    checkpointing: Annotated[
        bool | None,
        typer.Option("--checkpointing/--no-checkpointing", help="Less memory, more time.", show_default=False),
        Entry("compute.checkpointing"),
    ] = None
    ema: Annotated[
        float | None,
        typer.Option(metavar="DECAY", help="Write a running mean of the weights, e.g. 0.999.", show_default="0"),
        Entry("compute.ema"),
    ] = None
    compile: Annotated[
        bool | None,
        typer.Option("--compile/--no-compile", help="Faster on a GPU, later to begin.", show_default=False),
        Entry("compute.compile"),
    ] = None
    device: Annotated[
        str | None, typer.Option(help="Where it is computed: auto, cpu or cuda.", show_default="auto")
    ] = None
