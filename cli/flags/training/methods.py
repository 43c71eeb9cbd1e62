"""What each method trains."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

import typer

from modelhub.errors import BadValue

__all__ = ["FullFlags", "HypernetworkFlags", "LoraFlags", "WordFlags"]


@dataclass(frozen=True, slots=True)
class LoraFlags:
    """Entries below `options` of a LoRA."""

    section: ClassVar = "LoRA"

    rank: Annotated[int | None, typer.Option(help="How much it can hold.", show_default="the preset's")] = None
    alpha: Annotated[float | None, typer.Option(help="Its effect is scaled by alpha/rank.", show_default="rank/2")] = (
        None
    )
    algorithm: Annotated[str | None, typer.Option(help="lora, loha, lokr or oft.", show_default="lora")] = None
    layers: Annotated[str | None, typer.Option(help="attention or transformer.", show_default="transformer")] = None
    conv_rank: Annotated[
        int | None, typer.Option(help="Rank for 3x3 convolutions, too (LoCon).", show_default="none")
    ] = None
    dora: Annotated[
        bool | None, typer.Option("--dora/--no-dora", help="Learn norms apart from directions.", show_default=False)
    ] = None
    dropout: Annotated[
        float | None, typer.Option(metavar="SHARE", help="Inputs left out at random.", show_default="0")
    ] = None
    plus_ratio: Annotated[float | None, typer.Option(help="LoRA+: rate of up over down.", show_default="1")] = None
    max_norm: Annotated[
        float | None, typer.Option(help="Scale down what grows beyond this norm.", show_default="none")
    ] = None
    start: Annotated[str | None, typer.Option(metavar="REF", help="LoRA to go on from.")] = None
    pivotal: Annotated[str | None, typer.Option(metavar="WORD", help="New word to learn beside it.")] = None
    pivotal_vectors: Annotated[int | None, typer.Option(help="Tokens that it takes up.", show_default="4")] = None
    pivotal_initial: Annotated[str | None, typer.Option(metavar="WORDS", help="What it begins as.")] = None
    pivotal_learning_rate: Annotated[
        float | None, typer.Option("--pivotal-lr", help="Of its vectors.", show_default="5e-3")
    ] = None
    pivotal_until: Annotated[
        float | None, typer.Option(metavar="SHARE", help="Of the steps that it learns in.", show_default="1")
    ] = None

    def entries(self) -> Mapping[str, object]:
        return {
            "options.rank": self.rank,
            "options.alpha": self.alpha,
            "options.algorithm": self.algorithm,
            "options.layers": self.layers,
            "options.conv_rank": self.conv_rank,
            "options.dora": self.dora,
            "options.dropout": self.dropout,
            "options.plus_ratio": self.plus_ratio,
            "options.max_norm": self.max_norm,
            "options.start": self.start,
            "options.pivotal.token": self.pivotal,
            "options.pivotal.vectors": self.pivotal_vectors,
            "options.pivotal.initial": self.pivotal_initial,
            "options.pivotal.learning_rate": self.pivotal_learning_rate,
            "options.pivotal.until": self.pivotal_until,
        }


@dataclass(frozen=True, slots=True)
class WordFlags:
    """Entries below `options` of a textual inversion."""

    section: ClassVar = "The new word"

    token: Annotated[
        str | None, typer.Option(metavar="WORD", help="What prompts will call it.", show_default="the trigger")
    ] = None
    vectors: Annotated[int | None, typer.Option(help="Tokens that it takes up.", show_default="4")] = None
    initial: Annotated[str | None, typer.Option(metavar="WORDS", help="What it begins as.")] = None
    templates: Annotated[
        str | None,
        typer.Option(
            help="What is said of pictures: captions, or phrases for an object or a style.", show_default="captions"
        ),
    ] = None
    vector_learning_rate: Annotated[
        float | None, typer.Option("--vector-lr", help="Of the vectors.", show_default="5e-3")
    ] = None

    def entries(self) -> Mapping[str, object]:
        return {
            "options.token": self.token,
            "options.vectors": self.vectors,
            "options.initial": self.initial,
            "options.templates": self.templates,
            "options.learning_rate": self.vector_learning_rate,
        }


@dataclass(frozen=True, slots=True)
class FullFlags:
    """Entries below `options` of a full training."""

    section: ClassVar = "Weights"

    attention_only: Annotated[
        bool | None,
        typer.Option("--attention-only/--all-layers", help="Train attention, and leave all else.", show_default=False),
    ] = None
    keeps: Annotated[
        str | None, typer.Option(help="What is written: checkpoint or unet.", show_default="checkpoint")
    ] = None

    def entries(self) -> Mapping[str, object]:
        return {"options.attention_only": self.attention_only, "options.keeps": self.keeps}


@dataclass(frozen=True, slots=True)
class HypernetworkFlags:
    """Entries below `options` of a hypernetwork."""

    section: ClassVar = "The hypernetwork"

    structure: Annotated[
        str | None, typer.Option(metavar="W,W,W", help="Widths of the layers.", show_default="1,2,1")
    ] = None
    activation: Annotated[
        str | None, typer.Option(help="Between layers: linear, relu, swish, ...", show_default="linear")
    ] = None
    layer_norm: Annotated[
        bool | None,
        typer.Option("--layer-norm/--no-layer-norm", help="Even out what leaves each layer.", show_default=False),
    ] = None
    dropout: Annotated[
        float | None, typer.Option(metavar="SHARE", help="Outputs of layers left out at random.", show_default="0")
    ] = None

    def entries(self) -> Mapping[str, object]:
        return {
            "options.structure": _widths(self.structure),
            "options.activation": self.activation,
            "options.layer_norm": self.layer_norm,
            "options.dropout": self.dropout,
        }


def _widths(text: str | None) -> list[float] | None:
    try:
        return [float(one) for one in text.split(",")] if text else None
    except ValueError:
        raise BadValue(f"--structure: {text!r} is no row of widths", mend="--structure 1,2,1") from None
