"""What a picture says of how it was drawn: text chunks and EXIF, and the models that they name (no torch)."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from PIL import Image, UnidentifiedImageError

from inference.infotext import read_infotext
from inference.infotext.models import NamedModel, models_of
from modelhub.errors import BrokenFile, MissingFile

__all__ = ["NamedModel", "named_models", "read_texts", "seed_of"]

PARAMETERS, REQUEST = "parameters", "modelhub"
EXIF, USER_COMMENT, MAKER_NOTE = 0x8769, 0x9286, 0x927C
UNICODE, OURS = b"UNICODE\0", b"modelhub\0"
"""How a comment in UTF-16 begins, and our request among a camera maker's notes."""
_SEED = re.compile(r"\bSeed: (\d+)")


def read_texts(path: Path) -> Mapping[str, str]:
    """The texts in a picture, its EXIF comment as ``parameters``; else those in a .txt file beside it.

    Raises `MissingFile`, or `BrokenFile` for what is no picture.
    """
    try:
        with Image.open(path) as image:
            image.load()
            texts = {**dict(_chunks(image)), **dict(_exif(image))}
    except FileNotFoundError:
        raise MissingFile(f"{path}: there is no such file") from None
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError, SyntaxError) as error:
        raise BrokenFile(path, f"it cannot be read as a picture ({error})") from error
    return texts if texts else dict(_beside(path))


def _chunks(image: Image.Image) -> Iterator[tuple[str, str]]:
    """Of a PNG; and the comment of a GIF, where webui puts its own."""
    yield from ((str(key), text) for key, text in image.info.items() if isinstance(text, str))
    if isinstance(comment := image.info.get("comment"), bytes):
        yield PARAMETERS, comment.decode("utf-8", "replace")


def _exif(image: Image.Image) -> Iterator[tuple[str, str]]:
    """Where webui puts the parameters of JPEG, WebP and AVIF; and our request."""
    tags = image.getexif().get_ifd(EXIF)
    if isinstance(comment := tags.get(USER_COMMENT), bytes) and len(comment) > len(UNICODE):
        yield PARAMETERS, _comment(comment)
    if isinstance(note := tags.get(MAKER_NOTE), bytes) and note.startswith(OURS):
        yield REQUEST, note.removeprefix(OURS).decode("utf-8", "replace")


def _beside(path: Path) -> Iterator[tuple[str, str]]:
    """What webui writes there on demand; a caption, which has no fields, is no such text."""
    with suppress(OSError):
        text = path.with_suffix(".txt").read_text(encoding="utf-8", errors="replace")
        if read_infotext(text).fields:
            yield PARAMETERS, text


def named_models(texts: Mapping[str, str]) -> tuple[NamedModel, ...]:
    """From our own request where there is one, else from the hashes in webui's parameters."""
    ours = tuple(_of_request(texts.get(REQUEST, "")))
    return ours or models_of(read_infotext(texts.get(PARAMETERS, "")))


def seed_of(texts: Mapping[str, str]) -> int | None:
    found = _SEED.search(texts.get(PARAMETERS, ""))
    return int(found[1]) if found else None


def _comment(value: bytes) -> str:
    """EXIF's user comment: eight bytes name its encoding."""
    if value.startswith(UNICODE):
        little = value[8:10] == b"\xff\xfe"
        return value[8:].decode("utf-16" if little else "utf-16-be", "replace")
    return value[8:].decode("utf-8", "replace")


def _of_request(text: str) -> Iterator[NamedModel]:
    request = _json(text)
    for role in ("model", "vae"):
        if isinstance(ref := request.get(role), str):
            yield NamedModel(role, "", ref.lower())
    for use in _list(request.get("loras")):
        if isinstance(use, dict) and isinstance(ref := use.get("ref"), str):
            yield NamedModel("lora", "", ref.lower())


def _json(text: str) -> Mapping[str, Any]:
    with suppress(ValueError):
        found = json.loads(text)
        return found if isinstance(found, dict) else {}
    return {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
