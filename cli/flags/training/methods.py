"""What each method trains."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import typer

from modelhub.errors import BadValue

__all__ = ["FullFlags", "HypernetworkFlags", "LoraFlags", "WordFlags"]


@dataclass(frozen=True, slots=True)
class LoraFlags:
    """Entries below `options` of a LoRA."""

    rank: Annotated[int | None, typer.Option(help="Rank of the deltas.", show_default="16")] = None
    alpha: Annotated[float | None, typer.Option(help="They are scaled by alpha/rank.", show_default="rank/2")] = None
    algorithm: Annotated[str | None, typer.Option(help="lora, loha, lokr or oft.", show_default="lora")] = None
    layers: Annotated[str | None, typer.Option(help="attention or transformer.", show_default="transformer")] = None
    conv_rank: Annotated[int | None, typer.Option(help="Of 3x3 convolutions.", show_default="none")] = None
    dora: Annotated[
        bool | None, typer.Option("--dora/--no-dora", help="Norms apart from directions.", show_default=False)
    ] = None
    dropout: Annotated[float | None, typer.Option(metavar="SHARE", help="Of inputs.", show_default="0")] = None
    plus_ratio: Annotated[float | None, typer.Option(help="LoRA+: rate of up over down.", show_default="1")] = None
    max_norm: Annotated[float | None, typer.Option(help="Of deltas.", show_default="none")] = None
    start: Annotated[str | None, typer.Option(metavar="REF", help="LoRA to go on from.")] = None

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
        }


@dataclass(frozen=True, slots=True)
class WordFlags:
    """Entries below `options` of a textual inversion."""

    token: Annotated[str | None, typer.Option(metavar="WORD", help="The new one.", show_default="the trigger")] = None
    vectors: Annotated[int | None, typer.Option(help="Tokens that it takes up.", show_default="4")] = None
    initial: Annotated[str | None, typer.Option(metavar="WORDS", help="What it begins as.")] = None
    templates: Annotated[str | None, typer.Option(help="captions, object or style.", show_default="captions")] = None
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

    attention_only: Annotated[
        bool | None, typer.Option("--attention-only/--all-layers", help="Leave all else.", show_default=False)
    ] = None
    keeps: Annotated[str | None, typer.Option(help="checkpoint or unet.", show_default="checkpoint")] = None

    def entries(self) -> Mapping[str, object]:
        return {"options.attention_only": self.attention_only, "options.keeps": self.keeps}


@dataclass(frozen=True, slots=True)
class HypernetworkFlags:
    """Entries below `options` of a hypernetwork."""

    structure: Annotated[str | None, typer.Option(metavar="W,W,W", help="Of layers.", show_default="1,2,1")] = None
    activation: Annotated[str | None, typer.Option(help="linear, relu, swish, ...", show_default="linear")] = None
    layer_norm: Annotated[
        bool | None, typer.Option("--layer-norm/--no-layer-norm", help="After each layer.", show_default=False)
    ] = None
    dropout: Annotated[float | None, typer.Option(metavar="SHARE", help="Of layers.", show_default="0")] = None

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
