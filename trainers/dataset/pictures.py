"""Pictures of any mode -> upright RGB, and masks of their size."""

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from PIL import Image, ImageOps

from trainers.dataset.nouns import Sample

__all__ = [
    "IMAGES",
    "ORIENTATION",
    "UNREADABLE",
    "decoding",
    "open_image",
    "open_mask",
    "opened",
    "small",
    "turned",
    "upright",
]

IMAGES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".avif", ".gif"})
"""Ends of the names of pictures, in small letters."""
_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "AVIF", "TIFF", "JPEG2000", "PPM", "TGA", "ICO")
"""As Pillow names them, whatever a file's own name says; it would hand others to programs, as PostScript."""
UNREADABLE = (OSError, Image.DecompressionBombError)
"""What is raised for bytes that are no image, not all of one, or of too many pixels."""
_BY_PILLOW = (
    EOFError, SyntaxError, ValueError, TypeError, LookupError, AttributeError, OverflowError, RuntimeError,
    struct.error, zlib.error,
)  # fmt: skip
"""What else Pillow and its decoders raise for these."""
ORIENTATION = 0x0112
"""EXIF's entry that says how a picture is stored."""
_LYING = range(5, 9)
"""EXIF's orientations of pictures that are stored on their side."""
_SHARP = 256
"""Pixels of the shorter side that are enough to know a picture by; a JPEG is decoded at about this size."""
_DEEP = ("I", "F")
"""Modes of more than 8 bits, as their names begin."""
_WHITES = (1, 255, 65535)
"""What white is in a deep picture, the first that is not below its greatest value: a share, 8 bits, 16."""


@contextmanager
def decoding() -> Iterator[None]:
    """Around calls into Pillow, and nothing of ours: what it raises for broken bytes becomes one of `UNREADABLE`."""
    try:
        yield
    except _BY_PILLOW as error:
        raise OSError(str(error) or type(error).__name__) from error


def open_image(file: Path | IO[bytes]) -> Image.Image:
    """An image upright, in RGB, with white behind what is transparent; the first frame of a moving one."""
    with opened(file) as found:
        return upright(found)


def opened(file: Path | IO[bytes]) -> Image.Image:
    """An image of a format that is read, not decoded yet; raises one of `UNREADABLE`."""
    Image.init()
    with decoding():
        return Image.open(file, formats=[one for one in _FORMATS if one in Image.OPEN])


def upright(opened: Image.Image) -> Image.Image:
    """The same of one whose file is open."""
    with decoding():
        opened.load()
        image = ImageOps.exif_transpose(opened) if opened.getexif().get(ORIENTATION) else opened
    if image.mode.startswith(_DEEP):
        image = _shallow(image)
    with decoding():
        clear = image.convert("RGBA") if image.has_transparency_data else None
    if clear:
        image = _on_white(clear)
    with decoding():
        return image if image.mode == "RGB" else image.convert("RGB")


def small(opened: Image.Image) -> tuple[Image.Image, tuple[int, int]]:
    """The same, as large as is enough to know it again, and its own width and height, upright."""
    size = opened.size
    with decoding():
        opened.draft("RGB", (_SHARP, _SHARP))
    image = upright(opened)
    return image.reduce(max(1, min(image.size) // _SHARP)), turned(size, opened)


def open_mask(sample: Sample) -> Image.Image:
    """What is learned of a picture, white, in 8 bits of grey; upright and of the picture's size."""
    if sample.mask is None:
        return Image.new("L", sample.size, "white")
    mask = _alpha(sample.path) if sample.mask.alpha else open_image(sample.mask.path).convert("L")
    return mask if mask.size == sample.size else mask.resize(sample.size, Image.Resampling.BOX)


def turned(size: tuple[int, int], opened: Image.Image) -> tuple[int, int]:
    """Width and height of a picture once it stands upright."""
    with decoding():
        lies = opened.getexif().get(ORIENTATION) in _LYING
    return (size[1], size[0]) if lies else size


def _alpha(path: Path) -> Image.Image:
    with opened(path) as found, decoding():
        return ImageOps.exif_transpose(found).convert("RGBA").getchannel("A")


def _on_white(image: Image.Image) -> Image.Image:
    """Most pictures that could be clear are not: there is nothing to show behind them."""
    if image.getchannel("A").getextrema() == (255, 255):
        return image
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)


def _shallow(image: Image.Image) -> Image.Image:
    """Grey of 16 or 32 bits in 8; converting it would cut off all but the darkest shades."""
    if image.mode == "I;16B":
        image = image.convert("I")
    if image.mode.startswith("I;16"):
        return image.point(lambda value: value * (255 / 65535) + 0.5).convert("L")
    brightest = _brightest(image)
    white = next((white for white in _WHITES if brightest <= white), brightest)
    return image.point(lambda value: value * (255 / white) + 0.5).convert("L")


def _brightest(image: Image.Image) -> float:
    (_, most) = image.getextrema()
    assert not isinstance(most, tuple), "grey has one channel"
    return most
