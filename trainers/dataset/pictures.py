"""Pictures of any mode -> upright RGB, and masks of their size."""

import hashlib
import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO

from PIL import Image, ImageOps

from modelhub.errors import BrokenFile
from trainers.dataset.likeness import Look, look_of
from trainers.dataset.nouns import Entry, Mask, Sample

__all__ = ["IMAGES", "UNREADABLE", "glimpsed", "open_image", "open_mask", "seen", "small", "upright"]

IMAGES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".avif", ".gif"})
"""Ends of the names of pictures, in small letters."""
UNREADABLE = (OSError, SyntaxError, ValueError, RuntimeError, EOFError, Image.DecompressionBombError)
"""What Pillow and its decoders raise for bytes that are no image, or not all of one."""
_ORIENTATION = 0x0112
_LYING = range(5, 9)
"""EXIF's orientations of pictures that are stored on their side."""
_SHARP = 256
"""Pixels of the shorter side that are enough to know a picture by; a JPEG is decoded at about this size."""
_IS_WHOLE: Mapping[str, Callable[[bytes], bool]] = {
    "PNG": lambda content: content.endswith(b"IEND\xaeB`\x82"),
    "JPEG": lambda content: b"\xff\xd9" in content[-64:],
    "WEBP": lambda content: len(content) >= int.from_bytes(content[4:8], "little") + 8,
}
"""Format -> whether a file seems to have an end."""
_DEEP = ("I", "F")
"""Modes of more than 8 bits, as their names begin."""
_WHITES = (1, 255, 65535)
"""What white is in a deep picture, the first that is not below its greatest value: a share, 8 bits, 16."""


def open_image(file: Path | IO[bytes]) -> Image.Image:
    """An image upright, in RGB, with white behind what is transparent; the first frame of a moving one."""
    with Image.open(file) as opened:
        return upright(opened)


def upright(opened: Image.Image) -> Image.Image:
    """The same of one whose file is open."""
    opened.load()
    image = ImageOps.exif_transpose(opened) if opened.getexif().get(_ORIENTATION) else opened
    if image.mode.startswith(_DEEP):
        image = _shallow(image)
    if image.has_transparency_data:
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA"))
    return image if image.mode == "RGB" else image.convert("RGB")


def small(opened: Image.Image) -> tuple[Image.Image, tuple[int, int]]:
    """The same, as large as is enough to know it again, and its own width and height, upright."""
    size = opened.size
    opened.draft("RGB", (_SHARP, _SHARP))
    image = upright(opened)
    return image.reduce(max(1, min(image.size) // _SHARP)), _turned(size, opened)


def open_mask(sample: Sample) -> Image.Image:
    """What is learned of a picture, white, in 8 bits of grey; upright and of the picture's size."""
    if sample.mask is None:
        return Image.new("L", sample.size, "white")
    mask = _alpha(sample.path) if sample.mask.alpha else open_image(sample.mask.path).convert("L")
    return mask if mask.size == sample.size else mask.resize(sample.size, Image.Resampling.BOX)


def seen(entry: Entry) -> Sample:
    """Open a picture, to the last of its bytes; raises one of `UNREADABLE`."""
    content = entry.path.read_bytes()
    with Image.open(io.BytesIO(content)) as opened:
        image, size = small(opened)
    return _sample(entry, content, size, look_of(image))


def glimpsed(entry: Entry) -> Sample:
    """The same by the header alone, where the file has an end: many times as fast, and its look stays unknown."""
    content = entry.path.read_bytes()
    with Image.open(io.BytesIO(content)) as opened:
        is_whole = _IS_WHOLE.get(opened.format or "")
        size = _turned(opened.size, opened) if _tells_more(opened, content) else opened.size
    return _sample(entry, content, size) if is_whole and is_whole(content) else seen(entry)


def _tells_more(opened: Image.Image, content: bytes) -> bool:
    """Whether there may be EXIF; Pillow decodes a PNG to look for it."""
    return opened.format != "PNG" or any(mark in content for mark in (b"eXIf", b"exif", b"xmp"))


def _turned(size: tuple[int, int], opened: Image.Image) -> tuple[int, int]:
    """Width and height of a picture once it stands upright."""
    return (size[1], size[0]) if opened.getexif().get(_ORIENTATION) in _LYING else size


def _sample(entry: Entry, content: bytes, size: tuple[int, int], look: Look | None = None) -> Sample:
    digest = hashlib.sha256(content).hexdigest()
    return Sample(
        path=entry.path,
        caption=entry.caption or "",
        size=size,
        sha256=digest,
        folder=entry.path.parent.name,
        subset=entry.subset,
        mask=_mask(entry, content, digest),
        look=look,
    )


def _mask(entry: Entry, content: bytes, digest: str) -> Mask | None:
    if entry.mask:
        try:
            open_image(entry.mask)
        except UNREADABLE as error:
            raise BrokenFile(entry.mask, f"it is no picture that could be a mask: {error}") from None
        return Mask(entry.mask, hashlib.sha256(entry.mask.read_bytes()).hexdigest())
    if entry.subset.alpha_mask:
        with Image.open(io.BytesIO(content)) as opened:
            if opened.has_transparency_data:
                return Mask(entry.path, digest, alpha=True)
    return None


def _alpha(path: Path) -> Image.Image:
    with Image.open(path) as opened:
        return ImageOps.exif_transpose(opened).convert("RGBA").getchannel("A")


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
