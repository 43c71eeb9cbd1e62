"""One look at the pixels of a picture: everything that is asked of them is taken from it."""

import hashlib
import io
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from trainers.dataset.pictures import UNREADABLE
from trainers.doctor.nouns import Glance, Unread

__all__ = ["glance"]

_ORIENTATION = 0x0112
_UPRIGHT = 1
_SHARP = 256
"""Pixels of the shorter side that are enough for all that follows; a JPEG is decoded at about this size."""
_HASHED, _KEPT, _TINY = 32, 8, 16
"""Sides in pixels: of what is transformed, of the low frequencies that are kept, and of the tiny copy."""


def glance(path: Path, *, thumbnail: int = 0) -> Glance | Unread:
    """Decode a picture to its last byte; `thumbnail` is the greatest side of a copy to keep, in pixels."""
    try:
        content = path.read_bytes()
        with Image.open(io.BytesIO(content)) as opened:
            return _told(opened, hashlib.sha256(content).hexdigest(), thumbnail)
    except UNREADABLE as error:
        return Unread(path, _reason(path, error))


def _told(opened: Image.Image, digest: str, thumbnail: int) -> Glance:
    turn = opened.getexif().get(_ORIENTATION, _UPRIGHT)
    width, height = opened.size
    kind, frames = opened.format or "", getattr(opened, "n_frames", 1)
    opened.draft("RGB", (_SHARP, _SHARP))
    image, clear = _opaque(ImageOps.exif_transpose(opened))
    image = image.reduce(max(1, min(image.size) // _SHARP))
    tiny = np.asarray(image.resize((_TINY, _TINY), Image.Resampling.BOX))
    grey = np.asarray(image.convert("L").resize((_HASHED, _HASHED), Image.Resampling.BOX), dtype=np.float32)
    return Glance(
        sha256=digest,
        format=kind,
        size=(height, width) if turn in (5, 6, 7, 8) else (width, height),
        turned=turn in range(_UPRIGHT + 1, 9),
        clear=clear,
        frames=frames,
        brightness=float(grey.mean()),
        contrast=float(tiny.std(axis=(0, 1)).max()),
        hash=_hash(grey),
        tiny=tiny.tobytes(),
        thumbnail=_webp(image, thumbnail) if thumbnail else b"",
    )


def _opaque(image: Image.Image) -> tuple[Image.Image, float]:
    """A picture in RGB with white behind it, and the share of its pixels that let it through."""
    if image.mode.startswith("I;16"):
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if not image.has_transparency_data:
        return image.convert("RGB"), 0.0
    layered = image.convert("RGBA")
    counts = layered.getchannel("A").histogram()
    white = Image.new("RGBA", layered.size, "white")
    return Image.alpha_composite(white, layered).convert("RGB"), 1 - counts[255] / sum(counts)


def _hash(grey: np.ndarray) -> int:
    """A bit for each low frequency of the cosine transform: whether it is above their median."""
    waves = _cosines()
    low = (waves @ grey @ waves.T).ravel()
    low[0] = 0.0  # the mean, so that a brighter copy hashes alike
    return int.from_bytes(np.packbits(low > np.median(low)).tobytes())


@cache
def _cosines() -> np.ndarray:
    """The first rows of the cosine transform, [kept, hashed]."""
    places = np.arange(_HASHED) + 0.5
    return np.cos(np.pi / _HASHED * np.outer(np.arange(_KEPT), places)).astype(np.float32)


def _webp(image: Image.Image, side: int) -> bytes:
    small = image.copy()
    small.thumbnail((side, side), Image.Resampling.BOX)
    stream = io.BytesIO()
    small.save(stream, "WEBP", quality=70, method=2)
    return stream.getvalue()


def _reason(path: Path, error: Exception) -> str:
    if not path.is_file():
        return "the file is gone"
    if path.stat().st_size == 0:
        return "the file is empty"
    if isinstance(error, UnidentifiedImageError):
        return "its bytes are no picture"
    if isinstance(error, Image.DecompressionBombError):
        return "it has too many pixels to be a picture"
    return str(error).splitlines()[0] if str(error) else type(error).__name__
