"""A picture made ready to be drawn over, in px: its size, its mask, and what covers the result (no torch)."""

from dataclasses import dataclass

from PIL import Image

from inference.over.fills import filled
from inference.over.masks import blurred, cover, doubled, read_mask, region
from inference.over.resizing import Enlarge, flattened, lanczos, resized
from inference.request import Init, Mask

__all__ = ["Ground", "finished", "masked_ground", "prepared"]


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """What is drawn over."""

    size: tuple[int, int]
    """Width and height of what is drawn, in px."""
    picture: Image.Image
    """RGB; of `size`, unless its latents are brought there."""
    mask: Image.Image | None = None
    """8 bits, of `size`, white where to draw."""
    latent_mask: Image.Image | None = None
    """In place of `mask`, for the latents alone."""
    whole: Image.Image | None = None
    """The old picture that shows where nothing is drawn."""
    cover: Image.Image | None = None
    """The same with a hole."""
    place: tuple[int, int, int, int] | None = None
    """The box of `whole` that is drawn, where it is a part."""


def prepared(
    init: Init,
    size: tuple[int, int],
    picture: Image.Image,
    mask: Image.Image | None = None,
    enlarge: Enlarge = lanczos,
) -> Ground:
    """An init and its pictures at `size`; an empty mask of which a part is to be drawn is as good as none."""
    flat = flattened(picture, init.background)
    said = init.mask
    if said and mask:
        mask = blurred(_read(said, mask, flat.size), said.blur_x, said.blur_y)
        if not said.only_masked:
            fitting = _fitting(init)
            return masked_ground(resized(flat, size, fitting, enlarge), resized(mask, size, fitting), said.content)
        if box := region(mask, said.padding, size):
            part = resized(flat.crop(box), size, "fill", enlarge)
            inner = resized(mask.crop(box), size, "fill")
            return Ground(size, _filled(part, inner, said.content), inner, None, flat, cover(flat, mask), box)
    return Ground(size, flat if init.resize == "latent" else resized(flat, size, init.resize, enlarge))


def masked_ground(
    picture: Image.Image, mask: Image.Image, content: str, latent_mask: Image.Image | None = None
) -> Ground:
    """A whole picture of which a part is drawn anew."""
    under = _filled(picture, latent_mask or mask, content)
    return Ground(picture.size, under, mask, latent_mask, picture, cover(picture, doubled(mask)))


def finished(drawn: Image.Image, ground: Ground, over: Image.Image | None) -> Image.Image:
    """What was drawn, at its place in the whole, below the cover `over`."""
    if over is None:
        return drawn
    if ground.place:
        left, top, right, bottom = ground.place
        below = Image.new("RGBA", over.size)
        below.paste(resized(drawn, (right - left, bottom - top), "crop"), (left, top))
    else:
        below = drawn.convert("RGBA")
    below.alpha_composite(over)
    return below.convert("RGB")


def _read(said: Mask, mask: Image.Image, size: tuple[int, int]) -> Image.Image:
    return resized(read_mask(mask, invert=said.invert, rounded=said.round and not said.soft), size, "stretch")


def _fitting(init: Init) -> str:
    """A masked picture is resized in px: only so its mask covers the same things."""
    return "stretch" if init.resize == "latent" else init.resize


def _filled(picture: Image.Image, mask: Image.Image, content: str) -> Image.Image:
    return picture if content == "original" else filled(picture, mask)
