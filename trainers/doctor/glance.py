"""One look at the pixels of a picture: everything that is asked of them is taken from it."""

import hashlib
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from trainers.dataset.likeness import look_of
from trainers.dataset.pictures import UNREADABLE, small
from trainers.doctor.nouns import Glance, Unread

__all__ = ["glance"]

_ORIENTATION = 0x0112
_UPRIGHT = 1
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


def glance(path: Path, *, thumbnail: int = 0) -> Glance | Unread:
    """Decode a picture to its last byte; `thumbnail` is the greatest side of a copy to keep, in pixels."""
    try:
        content = path.read_bytes()
        with Image.open(io.BytesIO(content)) as opened:
            return _told(opened, hashlib.sha256(content).hexdigest(), thumbnail)
    except UNREADABLE as error:
        return Unread(path, _reason(path, error))


def _told(opened: Image.Image, digest: str, thumbnail: int) -> Glance:
    kind, frames = opened.format or "", getattr(opened, "n_frames", 1)
    image, size = small(opened)
    alphas = _alphas(opened)
    turn = opened.getexif().get(_ORIENTATION, _UPRIGHT)
    look = look_of(image)
    return Glance(
        sha256=digest,
        format=kind,
        size=size,
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


def _reason(path: Path, error: Exception) -> str:
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


def _sort_of(path: Path) -> str:
    """What a file that is no picture seems to be."""
    with path.open("rb") as file:
        beginning = file.read(_BEGINNING)
    return next((told for sign, told in _SORTS.items() if sign in beginning), "its bytes are no picture")
