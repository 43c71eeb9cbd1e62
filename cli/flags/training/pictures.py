"""Which pictures are learned from, and how they are cut and changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

import typer

from modelhub.errors import BadValue

__all__ = ["PictureFlags", "sides"]


@dataclass(frozen=True, slots=True)
class PictureFlags:
    """Entries below `dataset`, and the pictures of the class."""

    section: ClassVar = "Pictures"

    images: Annotated[Path | None, typer.Option(metavar="DIR", help="Pictures, or another trainer's list of them.")] = (
        None
    )
    resolution: Annotated[
        str | None,
        typer.Option(
            metavar="PX[,PX]", help="Pixels of a side; several: each picture at each.", show_default="the base's"
        ),
    ] = None
    buckets: Annotated[
        bool | None, typer.Option("--buckets/--square", help="Keep aspect ratios, or cut square.", show_default=False)
    ] = None
    upscale: Annotated[
        bool | None,
        typer.Option("--upscale/--no-upscale", help="Enlarge pictures smaller than their bucket.", show_default=False),
    ] = None
    flip: Annotated[
        bool | None, typer.Option("--flip/--no-flip", help="Mirror pictures at random.", show_default=False)
    ] = None
    crop: Annotated[
        str | None, typer.Option(help="Which part fills the bucket: center or random.", show_default="center")
    ] = None
    color: Annotated[
        bool | None, typer.Option("--color/--no-color-change", help="Change colours a little.", show_default=False)
    ] = None
    masks: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder of masks: white is learned, black is not.")
    ] = None
    alpha_mask: Annotated[
        bool | None, typer.Option("--alpha-mask/--no-alpha-mask", help="Learn only what is opaque.", show_default=False)
    ] = None
    regularisation: Annotated[
        Path | None, typer.Option("--reg", metavar="DIR", help="Pictures of the class, for prior preservation.")
    ] = None
    class_caption: Annotated[
        str | None, typer.Option("--class", metavar="WORDS", help="What the class is called, e.g. a dog.")
    ] = None
    class_pictures: Annotated[
        int | None, typer.Option("--draw-class", metavar="N", help="Draw so many pictures of the class first.")
    ] = None
    prior_weight: Annotated[float | None, typer.Option(help="Weight of the class's losses.", show_default="1")] = None
    prior_frozen: Annotated[
        bool | None,
        typer.Option(
            "--prior-frozen/--prior-pictures", help="Learn the base's own answers for the class.", show_default=False
        ),
    ] = None
    held_out: Annotated[
        float | None,
        typer.Option(metavar="SHARE", help="Share of the pictures to judge by, not learned.", show_default="0.1"),
    ] = None

    def entries(self) -> Mapping[str, object]:
        return {
            "dataset.images": self.images,
            "dataset.resolution": sides(self.resolution),
            "dataset.buckets": self.buckets,
            "dataset.upscale": self.upscale,
            "dataset.augment.flip": self.flip,
            "dataset.augment.crop": self.crop,
            "dataset.augment.color": self.color,
            "dataset.masks": self.masks,
            "dataset.alpha_mask": self.alpha_mask,
            "dataset.regularisation": self.regularisation,
            "prior.caption": self.class_caption,
            "prior.draw": self.class_pictures,
            "prior.weight": self.prior_weight,
            "prior.frozen": self.prior_frozen,
            "validation.share": self.held_out,
        }


def sides(text: str | None) -> int | list[int] | None:
    """Of --resolution: one, or several."""
    if text is None:
        return None
    try:
        found = [int(one) for one in text.split(",")]
    except ValueError:
        raise BadValue(f"--resolution: {text!r} is no number of pixels", mend="--resolution 768, or 512,768") from None
    return found[0] if len(found) == 1 else found
