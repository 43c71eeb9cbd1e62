"""One look at the pixels of a picture: everything that is asked of them is taken from it."""

import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from trainers.dataset.likeness import look_of
from trainers.dataset.nouns import Glance, Glimpse
from trainers.dataset.pictures import ORIENTATION, decoding, opened, small, turned

__all__ = ["glance", "glimpse", "why_unread"]

_UPRIGHT = 1
_IS_WHOLE: Mapping[str, Callable[[bytes], bool]] = {
    "PNG": lambda content: content.endswith(b"IEND\xaeB`\x82"),
    "JPEG": lambda content: b"\xff\xd9" in content[-64:],
    "WEBP": lambda content: len(content) >= int.from_bytes(content[4:8], "little") + 8,
}
"""Format -> whether a file seems to have an end."""
_BEGINNING = 64
"""Bytes by which a file tells what it is."""
_SORTS: Mapping[bytes, str] = {
    b"ftyphei": "it is HEIC, which is not read: convert it",
    b"ftypmif1": "it is HEIC, which is not read: convert it",
    b"JXL ": "it is JPEG XL, which is not read: convert it",
    b"8BPS": "it is a Photoshop file: export it",
    b"ftyp": "it is a video",
    b"\x1aE\xdf\xa3": "it is a video",
    b"<html": "it is a web page: download it again",
    b"<!DOCTYPE": "it is a web page: download it again",
    b"<!doctype": "it is a web page: download it again",
    b"git-lfs": "it is a pointer of Git LFS: git lfs pull",
}
"""What such a beginning holds -> what it is, the more exact ones first."""


def glance(content: bytes, sha256: str, *, thumbnail: int = 0) -> Glance:
    """Decode a file to its last byte; raises one of `UNREADABLE`.

    `sha256` is its digest, `thumbnail` the greatest side of a copy to keep, in pixels.
    """
    with opened(io.BytesIO(content)) as found:
        return _told(found, sha256, thumbnail, is_whole=_is_whole(found, content))


def glimpse(content: bytes, sha256: str) -> Glimpse | Glance:
    """What the header alone tells, many times as fast; a file that may have no end is decoded."""
    with opened(io.BytesIO(content)) as found:
        if _is_whole(found, content):
            with decoding():
                has_alpha = found.has_transparency_data
            size = turned(found.size, found) if _tells_more(found, content) else found.size
            return Glimpse(sha256, size, has_alpha)
    return glance(content, sha256)


def why_unread(path: Path, error: Exception) -> str:
    """What is wrong with a file that is no picture, for people."""
    if not path.is_file():
        return "the file is gone"
    if isinstance(error, PermissionError):
        return "it may not be read"
    if path.stat().st_size == 0:
        return "the file is empty"
    if isinstance(error, UnidentifiedImageError):
        return _sort_of(path)
    if isinstance(error, Image.DecompressionBombError):
        return "it has too many pixels to be a picture"
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def _tells_more(opened: Image.Image, content: bytes) -> bool:
    """Whether there may be EXIF; Pillow decodes a PNG to look for it."""
    return opened.format != "PNG" or any(mark in content for mark in (b"eXIf", b"exif", b"xmp"))


def _is_whole(opened: Image.Image, content: bytes) -> bool:
    """Of other formats it is not known."""
    ends = _IS_WHOLE.get(opened.format or "")
    return ends is not None and ends(content)


def _told(opened: Image.Image, sha256: str, thumbnail: int, *, is_whole: bool) -> Glance:
    with decoding():
        has_alpha, frames = opened.has_transparency_data, getattr(opened, "n_frames", 1)
    image, size = small(opened)
    with decoding():
        alphas = _alphas(opened)
        turn = opened.getexif().get(ORIENTATION, _UPRIGHT)
    look = look_of(image)
    return Glance(
        sha256=sha256,
        format=opened.format or "",
        size=size,
        has_alpha=has_alpha,
        is_whole=is_whole,
        turned=turn in range(_UPRIGHT + 1, 9),
        clear=1 - alphas[255] / sum(alphas),
        is_invisible=alphas[0] == sum(alphas),
        frames=frames,
        contrast=float(np.frombuffer(look.tiny, dtype=np.uint8).reshape(-1, 3).std(axis=0).max()),
        look=look,
        thumbnail=_webp(image, thumbnail) if thumbnail else b"",
    )


def _alphas(image: Image.Image) -> Sequence[int]:
    """Pixels by how opaque they are, 0 to 255."""
    if not image.has_transparency_data:
        return [0] * 255 + [1]
    return image.convert("RGBA").getchannel("A").histogram()


def _webp(image: Image.Image, side: int) -> bytes:
    small = image.copy()
    small.thumbnail((side, side), Image.Resampling.BOX)
    stream = io.BytesIO()
    small.save(stream, "WEBP", quality=70, method=2)
    return stream.getvalue()


def _sort_of(path: Path) -> str:
    """What a file that is no picture seems to be."""
    with path.open("rb") as file:
        beginning = file.read(_BEGINNING)
    return next((told for sign, told in _SORTS.items() if sign in beginning), "its bytes are no picture")
