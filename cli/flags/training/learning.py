"""How long and how fast it learns."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import typer

__all__ = ["LearningFlags"]


@dataclass(frozen=True, slots=True)
class LearningFlags:
    """Entries at the top of a recipe and below `optimizer`."""

    steps: Annotated[int | None, typer.Option(help="Optimizer steps.", show_default="by the pictures")] = None
    epochs: Annotated[int | None, typer.Option(help="How often all pictures are seen, instead.")] = None
    batch: Annotated[int | None, typer.Option(help="Images a step.", show_default="2")] = None
    accumulate: Annotated[int | None, typer.Option(help="Batches of one step.", show_default="1")] = None
    learning_rate: Annotated[float | None, typer.Option("--lr", help="Of the UNet.", show_default="5e-4")] = None
    text_encoder_learning_rate: Annotated[
        float | None, typer.Option("--text-lr", help="Of the text encoder; 0 leaves it alone.", show_default="1e-4")
    ] = None
    optimizer: Annotated[
        str | None, typer.Option(help="AdamW, AdamW8bit, Lion, Prodigy, Adafactor, ...", show_default="AdamW")
    ] = None
    weight_decay: Annotated[float | None, typer.Option(help="Of the optimizer.", show_default="0.01")] = None
    schedule: Annotated[str | None, typer.Option(help="constant, cosine, linear, rex, ...", show_default="cosine")] = (
        None
    )
    warmup: Annotated[
        float | None, typer.Option(help="Steps of rising rates; below 1 a share.", show_default="0.05")
    ] = None
    seed: Annotated[int | None, typer.Option(help="Of all that is random.", show_default="0")] = None

    def entries(self) -> Mapping[str, object]:
        return {
            "steps": self.steps,
            "epochs": self.epochs,
            "batch": self.batch,
            "compute.accumulate": self.accumulate,
            "learning_rate": self.learning_rate,
            "text_encoder_learning_rate": self.text_encoder_learning_rate,
            "optimizer.name": self.optimizer,
            "optimizer.weight_decay": self.weight_decay,
            "optimizer.schedule": self.schedule,
            "optimizer.warmup": self.warmup,
            "seed": self.seed,
        }
