"""How a picture comes to another size (no torch)."""

from collections.abc import Callable

from PIL import Image

__all__ = ["Enlarge", "flattened", "lanczos", "resized"]

Enlarge = Callable[[Image.Image, tuple[int, int]], Image.Image]
"""(picture, size) -> the picture at that size."""


def lanczos(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """What enlarges and reduces where nobody says otherwise."""
    return image.resize(size, Image.Resampling.LANCZOS)


def flattened(image: Image.Image, background: str) -> Image.Image:
    """In RGB, with a colour behind its transparent parts."""
    if not image.has_transparency_data:
        return image.convert("RGB")
    image = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, background), image).convert("RGB")


def resized(image: Image.Image, size: tuple[int, int], how: str, enlarge: Enlarge = lanczos) -> Image.Image:
    """At `size`: "stretch"; "crop" covers it and cuts what hangs over; "fill" fits in, and its edges are drawn out."""
    if image.size == size:
        return image
    if how == "stretch":
        return enlarge(image, size)
    inner = _scaled(image.size, size, covers=how == "crop")
    left, top = (whole // 2 - part // 2 for whole, part in zip(size, inner, strict=True))
    placed = Image.new(image.mode, size)
    content = enlarge(image, inner)
    placed.paste(content, (left, top))
    return placed if how == "crop" else _edges_drawn_out(placed, (left, top, left + inner[0], top + inner[1]))


def _scaled(own: tuple[int, int], size: tuple[int, int], *, covers: bool) -> tuple[int, int]:
    """The largest size of the same shape within `size`, or the smallest that covers it; fractions are cut."""
    wider = own[0] * size[1] > size[0] * own[1]
    if wider == covers:
        return own[0] * size[1] // own[1], size[1]
    return size[0], own[1] * size[0] // own[0]


def _edges_drawn_out(image: Image.Image, box: tuple[int, int, int, int]) -> Image.Image:
    """What lies around the box becomes its outermost rows, or columns."""
    left, top, right, bottom = box
    width, height = image.size
    strips = {
        (0, 0, width, top): (0, top, width, top + 1),
        (0, bottom, width, height): (0, bottom - 1, width, bottom),
        (0, 0, left, height): (left, 0, left + 1, height),
        (right, 0, width, height): (right - 1, 0, right, height),
    }
    for strip, edge in strips.items():
        size = strip[2] - strip[0], strip[3] - strip[1]
        if min(size) > 0:
            image.paste(image.crop(edge).resize(size), strip[:2])
    return image
