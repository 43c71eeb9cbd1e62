"""What a run does beside learning: copies, previews, files, logs."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

import typer

from cli.flags.entries import Entry

__all__ = ["RunningFlags"]


@dataclass(frozen=True, slots=True)
class RunningFlags:
    """Entries below `save`, `preview`, `validation`, `export` and `log`."""

    section: ClassVar = "Copies, previews, logs"

    save_every: Annotated[
        int | None, typer.Option(help="Steps between copies.", show_default="the preset's"), Entry("save.every")
    ] = None
    save_epochs: Annotated[int | None, typer.Option(help="Epochs between copies."), Entry("save.epochs")] = None
    save_keep: Annotated[
        int | None,
        typer.Option(metavar="N", help="How many of the last copies stay.", show_default="all"),
        Entry("save.keep"),
    ] = None
    preview_every: Annotated[
        int | None, typer.Option(help="Steps between previews.", show_default="none"), Entry("preview.every")
    ] = None
    preview: Annotated[
        list[str] | None, typer.Option(help="Prompt to preview; may be repeated."), Entry("preview.prompts")
    ] = None
    validate_every: Annotated[
        int | None,
        typer.Option(help="Steps between looks at held-out pictures.", show_default="each copy"),
        Entry("validation.every"),
    ] = None
    form: Annotated[
        list[str] | None,
        typer.Option("--format", help="Of the file: kohya, diffusers or a1111; may be repeated."),
        Entry("export.formats"),
    ] = None
    export_precision: Annotated[
        str | None,
        typer.Option(help="Of the numbers in the file: fp16, bf16 or fp32.", show_default="fp16"),
        Entry("export.precision"),
    ] = None
    tensorboard: Annotated[
        bool | None,
        typer.Option("--tensorboard/--no-tensorboard", help="Log to TensorBoard, too.", show_default=False),
        Entry("log.tensorboard"),
    ] = None
    wandb: Annotated[
        str | None, typer.Option(metavar="PROJECT", help="Log to Weights & Biases, too."), Entry("log.wandb")
    ] = None
