"""What is said of the pictures."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

import typer

from cli.flags.entries import Entry

__all__ = ["CaptionFlags"]


@dataclass(frozen=True, slots=True)
class CaptionFlags:
    """Entries below `dataset.captions`."""

    section: ClassVar = "Captions"

    trigger: Annotated[
        str | None, typer.Option(metavar="WORD", help="Word that shall call for what is learned."), Entry("trigger")
    ] = None
    shuffle: Annotated[
        bool | None,
        typer.Option("--shuffle/--no-shuffle", help="Bring tags into another order each time.", show_default=False),
        Entry("dataset.captions.shuffle"),
    ] = None
    keep_tags: Annotated[
        int | None,
        typer.Option(metavar="N", help="First tags that stay in place under --shuffle."),
        Entry("dataset.captions.keep"),
    ] = None
    caption_dropout: Annotated[
        float | None,
        typer.Option(metavar="SHARE", help="Captions left out at random.", show_default="the preset's"),
        Entry("dataset.captions.dropout"),
    ] = None
    tag_dropout: Annotated[
        float | None,
        typer.Option(metavar="SHARE", help="Tags left out at random.", show_default="0"),
        Entry("dataset.captions.tag_dropout"),
    ] = None
    caption_prefix: Annotated[
        str | None, typer.Option(metavar="WORDS", help="Put before every caption."), Entry("dataset.captions.prefix")
    ] = None
    caption_suffix: Annotated[
        str | None, typer.Option(metavar="WORDS", help="Put behind every caption."), Entry("dataset.captions.suffix")
    ] = None
    caption_ending: Annotated[
        list[str] | None,
        typer.Option(metavar=".EXT", help="Ending of caption files; may be repeated.", show_default=".txt, .caption"),
        Entry("dataset.captions.extensions"),
    ] = None
    wildcards: Annotated[
        bool | None,
        typer.Option(
            "--wildcards/--no-wildcards", help="Choose among a caption's lines, and {a|b}.", show_default=False
        ),
        Entry("dataset.captions.wildcards"),
    ] = None
