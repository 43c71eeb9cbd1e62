"""What a run does beside learning: copies, previews, files, logs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

import typer

__all__ = ["RunningFlags"]


@dataclass(frozen=True, slots=True)
class RunningFlags:
    """Entries below `save`, `preview`, `validation`, `export` and `log`."""

    section: ClassVar = "Copies, previews, logs"

    save_every: Annotated[int | None, typer.Option(help="Steps between copies.", show_default="the preset's")] = None
    save_epochs: Annotated[int | None, typer.Option(help="Epochs between copies.")] = None
    save_keep: Annotated[
        int | None, typer.Option(metavar="N", help="How many of the last copies stay.", show_default="all")
    ] = None
    preview_every: Annotated[int | None, typer.Option(help="Steps between previews.", show_default="none")] = None
    preview: Annotated[list[str] | None, typer.Option(help="Prompt to preview; may be repeated.")] = None
    validate_every: Annotated[
        int | None, typer.Option(help="Steps between looks at held-out pictures.", show_default="each copy")
    ] = None
    form: Annotated[
        list[str] | None, typer.Option("--format", help="Of the file: kohya, diffusers or a1111; may be repeated.")
    ] = None
    export_precision: Annotated[
        str | None, typer.Option(help="Of the numbers in the file: fp16, bf16 or fp32.", show_default="fp16")
    ] = None
    tensorboard: Annotated[
        bool | None, typer.Option("--tensorboard/--no-tensorboard", help="Log to TensorBoard, too.", show_default=False)
    ] = None
    wandb: Annotated[str | None, typer.Option(metavar="PROJECT", help="Log to Weights & Biases, too.")] = None

    def entries(self) -> Mapping[str, object]:
        return {
            "save.every": self.save_every,
            "save.epochs": self.save_epochs,
            "save.keep": self.save_keep,
            "preview.every": self.preview_every,
            "preview.prompts": self.preview or None,
            "validation.every": self.validate_every,
            "export.formats": self.form or None,
            "export.precision": self.export_precision,
            "log.tensorboard": self.tensorboard,
            "log.wandb": self.wandb,
        }
