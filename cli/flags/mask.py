"""Which part of a picture is drawn anew."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import typer

from cli.flags.numbers import named_numbers
from modelhub.errors import BadValue

__all__ = ["MaskFlags"]

_SOFT = {
    "bias": "schedule_bias",
    "preservation": "preservation",
    "boost": "contrast_boost",
    "influence": "mask_influence",
    "threshold": "difference_threshold",
    "contrast": "difference_contrast",
}
_ALPHA, _ON = "alpha", "on"


@dataclass(frozen=True, slots=True)
class MaskFlags:
    """Inpainting."""

    section: ClassVar = "Part of a picture (inpainting)"

    mask: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="Draw only where this picture is white; alpha: where the one of --init is transparent."
        ),
    ] = None
    mask_invert: Annotated[bool, typer.Option("--mask-invert", help="Draw where the mask is black.")] = False
    mask_blur: Annotated[str, typer.Option(metavar="N|X,Y", help="Deviation of the mask's soft edge, px.")] = "4"
    mask_round: Annotated[bool, typer.Option(help="Take each part of the mask for black or white.")] = True
    masked_content: Annotated[
        str, typer.Option(help="What lies under the mask at first: fill, original, latent noise or latent nothing.")
    ] = "original"
    only_masked: Annotated[
        bool, typer.Option("--only-masked", help="Draw the masked part at the full size, and paste it back.")
    ] = False
    mask_padding: Annotated[int, typer.Option(help="Px around the masked part that --only-masked draws too.")] = 32
    mask_conditioning: Annotated[
        float, typer.Option(help="How much of what is masked is hidden from an inpainting checkpoint.")
    ] = 1.0
    soft: Annotated[
        str | None,
        typer.Option(
            metavar="on|NAME=N,...",
            help=f"Soft inpainting: the mask's grey keeps that much of the old picture; {', '.join(_SOFT)}.",
        ),
    ] = None

    def field(self) -> Mapping[str, Any] | None:
        """A request's `init.mask`; raises `BadValue` for what is said of no mask."""
        if self.mask is None:
            if self != MaskFlags():
                raise BadValue("there is no mask to say that of", mend="modelhub generate ... --init FILE --mask FILE")
            return None
        x, y = _deviations(self.mask_blur)
        return {
            "image": None if self.mask == _ALPHA else self.mask,
            "invert": self.mask_invert,
            "blur_x": x,
            "blur_y": y,
            "content": self.masked_content,
            "only_masked": self.only_masked,
            "padding": self.mask_padding,
            "round": self.mask_round,
            "conditioning": self.mask_conditioning,
            "soft": None if self.soft is None else named_numbers(self.soft.removeprefix(_ON), _SOFT, "--soft"),
        }


def _deviations(blur: str) -> tuple[int, int]:
    x, _, y = blur.partition(",")
    if not (x.strip().isdecimal() and (y or x).strip().isdecimal()):
        raise BadValue(f"--mask-blur: {blur!r} is no number of px", mend="write --mask-blur 4, or --mask-blur 8,2")
    return int(x), int(y or x)
