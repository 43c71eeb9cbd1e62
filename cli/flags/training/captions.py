"""What is said of the pictures."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

import typer

__all__ = ["CaptionFlags"]


@dataclass(frozen=True, slots=True)
class CaptionFlags:
    """Entries below `dataset.captions`."""

    section: ClassVar = "Captions"

    trigger: Annotated[str | None, typer.Option(metavar="WORD", help="Word that shall call for what is learned.")] = (
        None
    )
    shuffle: Annotated[
        bool | None,
        typer.Option("--shuffle/--no-shuffle", help="Bring tags into another order each time.", show_default=False),
    ] = None
    keep_tags: Annotated[
        int | None, typer.Option(metavar="N", help="First tags that stay in place under --shuffle.")
    ] = None
    caption_dropout: Annotated[
        float | None, typer.Option(metavar="SHARE", help="Captions left out at random.", show_default="the preset's")
    ] = None
    tag_dropout: Annotated[
        float | None, typer.Option(metavar="SHARE", help="Tags left out at random.", show_default="0")
    ] = None
    caption_prefix: Annotated[str | None, typer.Option(metavar="WORDS", help="Put before every caption.")] = None
    caption_suffix: Annotated[str | None, typer.Option(metavar="WORDS", help="Put behind every caption.")] = None
    caption_ending: Annotated[
        list[str] | None,
        typer.Option(metavar=".EXT", help="Ending of caption files; may be repeated.", show_default=".txt, .caption"),
    ] = None
    wildcards: Annotated[
        bool | None,
        typer.Option(
            "--wildcards/--no-wildcards", help="Choose among a caption's lines, and {a|b}.", show_default=False
        ),
    ] = None

    def entries(self) -> Mapping[str, object]:
        return {
            "trigger": self.trigger,
            "dataset.captions.shuffle": self.shuffle,
            "dataset.captions.keep": self.keep_tags,
            "dataset.captions.dropout": self.caption_dropout,
            "dataset.captions.tag_dropout": self.tag_dropout,
            "dataset.captions.prefix": self.caption_prefix,
            "dataset.captions.suffix": self.caption_suffix,
            "dataset.captions.extensions": self.caption_ending or None,
            "dataset.captions.wildcards": self.wildcards,
        }
