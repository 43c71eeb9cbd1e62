"""In which formats pictures are written, and where each keeps its texts (no torch)."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, PngImagePlugin, features

from inference.images.texts import EXIF, MAKER_NOTE, OURS, PARAMETERS, REQUEST, UNICODE, USER_COMMENT
from modelhub.errors import BadValue

__all__ = ["PNG", "Format", "format_named", "write"]

_EXIF_BYTES = 65_000
"""As much as fits into a JPEG's header."""


@dataclass(frozen=True, slots=True)
class Format:
    """How a picture becomes a file."""

    name: str
    """As Pillow calls it."""
    suffix: str
    quality: int | None = None
    """1 to 100; None for what loses nothing."""


PNG = Format("PNG", ".png")
_LOSSY = {"jpeg": ("JPEG", ".jpg"), "webp": ("WEBP", ".webp"), "avif": ("AVIF", ".avif")}


def format_named(name: str, quality: int) -> Format:
    """``png``, ``jpeg``, ``webp`` or ``avif``; raises `BadValue` for others, and for what Pillow here cannot write."""
    if name == "png":
        return PNG
    if name not in _LOSSY:
        raise BadValue(f"{name!r} is no format of pictures", mend=f"write --format png, {', '.join(_LOSSY)}")
    if name in ("webp", "avif") and not features.check(name):
        raise BadValue(f"Pillow here cannot write {name}", mend="pip install -U pillow")
    return Format(*_LOSSY[name], quality)


def write(image: Image.Image, path: Path, texts: Mapping[str, str], form: Format) -> None:
    """Write a picture with its texts; PNG has chunks for all, the others EXIF for the parameters and our request."""
    if form.quality is None:
        image.save(path, format=form.name, pnginfo=_chunks(texts))
    else:
        image.convert("RGB").save(path, format=form.name, quality=form.quality, exif=_exif(texts))


def _chunks(texts: Mapping[str, str]) -> PngImagePlugin.PngInfo:
    """Latin-1 texts as tEXt, all others as iTXt."""
    info = PngImagePlugin.PngInfo()
    for key, text in texts.items():
        info.add_text(key, text)
    return info


def _exif(texts: Mapping[str, str]) -> bytes:
    """webui's comment; and our request, where both fit."""
    comment = {USER_COMMENT: UNICODE + texts.get(PARAMETERS, "").encode("utf-16-be")}
    ours = {MAKER_NOTE: OURS + texts[REQUEST].encode()} if REQUEST in texts else {}
    whole = _bytes({**comment, **ours})
    return whole if len(whole) <= _EXIF_BYTES else _bytes(comment)


def _bytes(tags: Mapping[int, bytes]) -> bytes:
    exif = Image.Exif()
    exif[EXIF] = dict(tags)
    return exif.tobytes()
