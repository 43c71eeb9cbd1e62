"""Which pictures are learned from, and how they are cut and changed."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

import typer

from cli.flags.entries import Entry
from cli.flags.numbers import row

__all__ = ["PictureFlags", "sides"]


def sides(text: str) -> int | list[int]:
    """Of --resolution: one, or several."""
    found = row(text, int, "--resolution", what="number of pixels", example="768, or 512,768")
    return found[0] if len(found) == 1 else found


@dataclass(frozen=True, slots=True)
class PictureFlags:
    """Entries below `dataset`, and the pictures of the class."""

    section: ClassVar = "Pictures"

    images: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Pictures, or another trainer's list of them."),
        Entry("dataset.images"),
    ] = None
    resolution: Annotated[
        str | None,
        typer.Option(
            metavar="PX[,PX]", help="Pixels of a side; several: each picture at each.", show_default="the base's"
        ),
        Entry("dataset.resolution", sides),
    ] = None
    buckets: Annotated[
        bool | None,
        typer.Option("--buckets/--square", help="Keep aspect ratios, or cut square.", show_default=False),
        Entry("dataset.buckets"),
    ] = None
    upscale: Annotated[
        bool | None,
        typer.Option("--upscale/--no-upscale", help="Enlarge pictures smaller than their bucket.", show_default=False),
        Entry("dataset.upscale"),
    ] = None
    flip: Annotated[
        bool | None,
        typer.Option("--flip/--no-flip", help="Mirror pictures at random.", show_default=False),
        Entry("dataset.augment.flip"),
    ] = None
    crop: Annotated[
        str | None,
        typer.Option(help="Which part fills the bucket: center or random.", show_default="center"),
        Entry("dataset.augment.crop"),
    ] = None
    color: Annotated[
        bool | None,
        typer.Option("--color/--no-color-change", help="Change colours a little.", show_default=False),
        Entry("dataset.augment.color"),
    ] = None
    masks: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder of masks: white is learned, black is not."),
        Entry("dataset.masks"),
    ] = None
    alpha_mask: Annotated[
        bool | None,
        typer.Option("--alpha-mask/--no-alpha-mask", help="Learn only what is opaque.", show_default=False),
        Entry("dataset.alpha_mask"),
    ] = None
    regularisation: Annotated[
        Path | None,
        typer.Option("--reg", metavar="DIR", help="Pictures of the class, for prior preservation."),
        Entry("dataset.regularisation"),
    ] = None
    class_caption: Annotated[
        str | None,
        typer.Option("--class", metavar="WORDS", help="What the class is called, e.g. a dog."),
        Entry("prior.caption"),
    ] = None
    class_pictures: Annotated[
        int | None,
        typer.Option("--draw-class", metavar="N", help="Draw so many pictures of the class first."),
        Entry("prior.draw"),
    ] = None
    prior_weight: Annotated[
        float | None, typer.Option(help="Weight of the class's losses.", show_default="1"), Entry("prior.weight")
    ] = None
    prior_frozen: Annotated[
        bool | None,
        typer.Option(
            "--prior-frozen/--prior-pictures", help="Learn the base's own answers for the class.", show_default=False
        ),
        Entry("prior.frozen"),
    ] = None
    held_out: Annotated[
        float | None,
        typer.Option(metavar="SHARE", help="Share of the pictures to judge by, not learned.", show_default="0.1"),
        Entry("validation.share"),
    ] = None
