"""What each method trains."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

import typer

from cli.flags.entries import Entry
from cli.flags.numbers import row

__all__ = ["FullFlags", "HypernetworkFlags", "LoraFlags", "WordFlags"]


def _widths(text: str) -> list[float]:
    return row(text, float, "--structure", what="row of widths", example="1,2,1")


@dataclass(frozen=True, slots=True)
class LoraFlags:
    """Entries below `options` of a LoRA."""

    section: ClassVar = "LoRA"

    rank: Annotated[
        int | None, typer.Option(help="How much it can hold.", show_default="the preset's"), Entry("options.rank")
    ] = None
    alpha: Annotated[
        float | None,
        typer.Option(help="Its effect is scaled by alpha/rank.", show_default="rank/2"),
        Entry("options.alpha"),
    ] = None
    algorithm: Annotated[
        str | None, typer.Option(help="lora, loha, lokr or oft.", show_default="lora"), Entry("options.algorithm")
    ] = None
    layers: Annotated[
        str | None, typer.Option(help="attention or transformer.", show_default="transformer"), Entry("options.layers")
    ] = None
    conv_rank: Annotated[
        int | None,
        typer.Option(help="Rank for 3x3 convolutions, too (LoCon).", show_default="none"),
        Entry("options.conv_rank"),
    ] = None
    dora: Annotated[
        bool | None,
        typer.Option("--dora/--no-dora", help="Learn norms apart from directions.", show_default=False),
        Entry("options.dora"),
    ] = None
    dropout: Annotated[
        float | None,
        typer.Option(metavar="SHARE", help="Inputs left out at random.", show_default="0"),
        Entry("options.dropout"),
    ] = None
    plus_ratio: Annotated[
        float | None, typer.Option(help="LoRA+: rate of up over down.", show_default="1"), Entry("options.plus_ratio")
    ] = None
    max_norm: Annotated[
        float | None,
        typer.Option(help="Scale down what grows beyond this norm.", show_default="none"),
        Entry("options.max_norm"),
    ] = None
    start: Annotated[str | None, typer.Option(metavar="REF", help="LoRA to go on from."), Entry("options.start")] = None
    pivotal: Annotated[
        str | None, typer.Option(metavar="WORD", help="New word to learn beside it."), Entry("options.pivotal.token")
    ] = None
    pivotal_vectors: Annotated[
        int | None, typer.Option(help="Tokens that it takes up.", show_default="4"), Entry("options.pivotal.vectors")
    ] = None
    pivotal_initial: Annotated[
        str | None, typer.Option(metavar="WORDS", help="What it begins as."), Entry("options.pivotal.initial")
    ] = None
    pivotal_learning_rate: Annotated[
        float | None,
        typer.Option("--pivotal-lr", help="Of its vectors.", show_default="5e-3"),
        Entry("options.pivotal.learning_rate"),
    ] = None
    pivotal_until: Annotated[
        float | None,
        typer.Option(metavar="SHARE", help="Of the steps that it learns in.", show_default="1"),
        Entry("options.pivotal.until"),
    ] = None


@dataclass(frozen=True, slots=True)
class WordFlags:
    """Entries below `options` of a textual inversion."""

    section: ClassVar = "The new word"

    token: Annotated[
        str | None,
        typer.Option(metavar="WORD", help="What prompts will call it.", show_default="the trigger"),
        Entry("options.token"),
    ] = None
    vectors: Annotated[
        int | None, typer.Option(help="Tokens that it takes up.", show_default="4"), Entry("options.vectors")
    ] = None
    initial: Annotated[
        str | None, typer.Option(metavar="WORDS", help="What it begins as."), Entry("options.initial")
    ] = None
    templates: Annotated[
        str | None,
        typer.Option(
            help="What is said of pictures: captions, or phrases for an object or a style.", show_default="captions"
        ),
        Entry("options.templates"),
    ] = None
    vector_learning_rate: Annotated[
        float | None,
        typer.Option("--vector-lr", help="Of the vectors.", show_default="5e-3"),
        Entry("options.learning_rate"),
    ] = None


@dataclass(frozen=True, slots=True)
class FullFlags:
    """Entries below `options` of a full training."""

    section: ClassVar = "Weights"

    attention_only: Annotated[
        bool | None,
        typer.Option("--attention-only/--all-layers", help="Train attention, and leave all else.", show_default=False),
        Entry("options.attention_only"),
    ] = None
    keeps: Annotated[
        str | None,
        typer.Option(help="What is written: checkpoint or unet.", show_default="checkpoint"),
        Entry("options.keeps"),
    ] = None


@dataclass(frozen=True, slots=True)
class HypernetworkFlags:
    """Entries below `options` of a hypernetwork."""

    section: ClassVar = "The hypernetwork"

    structure: Annotated[
        str | None,
        typer.Option(metavar="W,W,W", help="Widths of the layers.", show_default="1,2,1"),
        Entry("options.structure", _widths),
    ] = None
    activation: Annotated[
        str | None,
        typer.Option(help="Between layers: linear, relu, swish, ...", show_default="linear"),
        Entry("options.activation"),
    ] = None
    layer_norm: Annotated[
        bool | None,
        typer.Option("--layer-norm/--no-layer-norm", help="Even out what leaves each layer.", show_default=False),
        Entry("options.layer_norm"),
    ] = None
    dropout: Annotated[
        float | None,
        typer.Option(metavar="SHARE", help="Outputs of layers left out at random.", show_default="0"),
        Entry("options.dropout"),
    ] = None
