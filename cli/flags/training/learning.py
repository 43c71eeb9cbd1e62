"""How long and how fast it learns."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

import typer

from cli.flags.entries import Entry

__all__ = ["LearningFlags"]


@dataclass(frozen=True, slots=True)
class LearningFlags:
    """Entries at the top of a recipe and below `optimizer`."""

    section: ClassVar = "Learning"

    steps: Annotated[
        int | None, typer.Option(help="Optimizer steps.", show_default="by the pictures"), Entry("steps")
    ] = None
    epochs: Annotated[
        int | None, typer.Option(help="How often all pictures are seen, in place of --steps."), Entry("epochs")
    ] = None
    batch: Annotated[int | None, typer.Option(help="Pictures a step.", show_default="the preset's"), Entry("batch")] = (
        None
    )
    accumulate: Annotated[
        int | None,
        typer.Option(help="Batches of one optimizer step.", show_default="the preset's"),
        Entry("compute.accumulate"),
    ] = None
    learning_rate: Annotated[
        float | None,
        typer.Option("--lr", help="Learning rate of the UNet.", show_default="the preset's"),
        Entry("learning_rate"),
    ] = None
    text_encoder_learning_rate: Annotated[
        float | None,
        typer.Option(
            "--text-lr", help="Learning rate of the text encoder; 0 leaves it alone.", show_default="the preset's"
        ),
        Entry("text_encoder_learning_rate"),
    ] = None
    optimizer: Annotated[
        str | None,
        typer.Option(help="AdamW, AdamW8bit, Lion, Prodigy, Adafactor, ...", show_default="AdamW"),
        Entry("optimizer.name"),
    ] = None
    weight_decay: Annotated[
        float | None,
        typer.Option(help="Pull of the parameters towards 0.", show_default="the preset's"),
        Entry("optimizer.weight_decay"),
    ] = None
    schedule: Annotated[
        str | None,
        typer.Option(help="Course of the rates: constant, cosine, linear, rex, ...", show_default="the preset's"),
        Entry("optimizer.schedule"),
    ] = None
    warmup: Annotated[
        float | None,
        typer.Option(help="Steps of rising rates; below 1, a share of all steps.", show_default="the preset's"),
        Entry("optimizer.warmup"),
    ] = None
    seed: Annotated[int | None, typer.Option(help="Of all that is random.", show_default="0"), Entry("seed")] = None
