"""Beyond a picture's edges: where it goes on, and what is drawn over what (no torch)."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image, ImageDraw

from inference.over.ground import Ground, masked_ground
from inference.over.likeness import continued
from inference.over.masks import blurred
from inference.request import Outpaint

__all__ = ["Side", "all_at_once", "sides"]

_GRID = 64
"""Px that grown pictures are multiples of."""
_BLURS = {"mk2": 8, "poor": 4}


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a picture, by which it grows: webui's second outpainting script."""

    outpaint: Outpaint
    name: str
    """left, right, up or down."""
    growth: int
    """Px."""

    def ground(self, image: Image.Image, most: tuple[int, int]) -> tuple[Ground, Callable[[Image.Image], Image.Image]]:
        """What is drawn, at most so wide or so high along the side's own direction; and what sets it into the whole."""
        grown = self._grown(image.size)
        whole = math.ceil(grown[0] / _GRID) * _GRID, math.ceil(grown[1] / _GRID) * _GRID
        placed = Image.new("RGB", whole)
        placed.paste(image, (self.growth if self.name == "left" else 0, self.growth if self.name == "up" else 0))
        blur = _blur(self.outpaint)
        mask = self._mask(whole, grown, self.growth + blur)
        placed = continued(placed, mask, falloff=self.outpaint.falloff, colours=self.outpaint.colours)
        box = self._box(whole, grown, most)
        size = box[2] - box[0], box[3] - box[1]
        latent_mask = self._mask(size, grown, self.growth + 2 * blur)
        ground = masked_ground(placed.crop(box), blurred(mask.crop(box), 4 * blur, 4 * blur), "original", latent_mask)

        def set_in(drawn: Image.Image) -> Image.Image:
            result = placed.copy()
            result.paste(drawn, box[:2])
            return result.crop((0, 0, *grown))

        return ground, set_in

    def _grown(self, size: tuple[int, int]) -> tuple[int, int]:
        width, height = size
        return (width + self.growth, height) if self._horizontal else (width, height + self.growth)

    @property
    def _horizontal(self) -> bool:
        return self.name in ("left", "right")

    def _mask(self, size: tuple[int, int], grown: tuple[int, int], inset: int) -> Image.Image:
        """White but for the old picture less the inset."""
        return _framed(
            size,
            inset if self.name == "left" else 0,
            inset if self.name == "up" else 0,
            size[0] - inset if self.name == "right" else grown[0],
            size[1] - inset if self.name == "down" else grown[1],
        )

    def _box(self, whole: tuple[int, int], grown: tuple[int, int], most: tuple[int, int]) -> tuple[int, int, int, int]:
        """What is drawn: all across the growth, and along it no more than `most`; sides are multiples of 8."""
        width, height = whole
        if self._horizontal:
            width = min(most[0], grown[0]) // 8 * 8
        else:
            height = min(most[1], grown[1]) // 8 * 8
        left = whole[0] - width if self.name == "right" else 0
        top = whole[1] - height if self.name == "down" else 0
        return left, top, left + width, top + height


def sides(outpaint: Outpaint, size: tuple[int, int]) -> list[Side]:
    """The sides of a picture of that size that grow, in the order that they are drawn in."""
    (left, right), (up, down) = _growths(outpaint, size)
    growths = {"left": left, "right": right, "up": up, "down": down}
    return [Side(outpaint, name, growth) for name, growth in growths.items() if growth > 0]


def all_at_once(image: Image.Image, outpaint: Outpaint) -> Ground:
    """The picture amid its smeared colours: webui's first script, in one piece."""
    (left, right), (up, down) = _growths(outpaint, image.size)
    size = image.width + left + right, image.height + up + down
    placed = Image.new("RGB", size)
    placed.paste(image, (left, up))
    blur = _blur(outpaint)
    masks = []
    for inset in (2 * blur, blur // 2):
        near = [one + (inset if one else 0) for one in (left, up)]
        far = [whole - one - (inset if one else 0) for whole, one in zip(size, (right, down), strict=True)]
        masks.append(_framed(size, near[0], near[1], far[0], far[1]))
    return masked_ground(placed, blurred(masks[0], 2 * blur, 2 * blur), "fill", masks[1])


def _blur(outpaint: Outpaint) -> int:
    return _BLURS[outpaint.method] if outpaint.blur is None else outpaint.blur


def _growths(outpaint: Outpaint, size: tuple[int, int]) -> tuple[tuple[int, int], tuple[int, int]]:
    """((left, right), (up, down)) in px, enlarged together so that the whole comes to a multiple of 64."""
    return _growth(outpaint.left, outpaint.right, size[0]), _growth(outpaint.up, outpaint.down, size[1])


def _growth(before: int, behind: int, own: int) -> tuple[int, int]:
    if not before and not behind:
        return 0, 0
    more = math.ceil((own + before + behind) / _GRID) * _GRID - own
    before = before * more // (before + behind)
    return before, more - before if behind else 0


def _framed(size: tuple[int, int], left: int, top: int, right: int, bottom: int) -> Image.Image:
    """White around a black box, its right and lower edge included."""
    mask = Image.new("L", size, 255)
    if right >= left and bottom >= top:
        ImageDraw.Draw(mask).rectangle((left, top, right, bottom), fill=0)
    return mask
