"""What a picture says of how it was drawn: text chunks and EXIF, and the models that they name (no torch)."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image, UnidentifiedImageError

from modelhub.errors import BrokenFile, MissingFile

__all__ = ["NamedModel", "named_models", "read_texts", "seed_of"]

PARAMETERS, REQUEST = "parameters", "modelhub"
_EXIF, _USER_COMMENT = 0x8769, 0x9286
_QUOTED = r'"(?:[^"\\]|\\.)*"'
_PAIR = re.compile(r"([\w .+-]+): *([0-9a-fA-Fx]{8,66})")
_SEED = re.compile(r"\bSeed: (\d+)")


@dataclass(frozen=True, slots=True)
class NamedModel:
    """A model as a picture names it."""

    role: str
    """``model``, ``vae``, ``lora``, ..."""
    name: str
    """Empty where only the digest stands."""
    digest: str
    """The beginning of one, of whichever algorithm; lower-case hex."""


def read_texts(path: Path) -> Mapping[str, str]:
    """The texts in a picture; an EXIF comment, where webui puts those of JPEG and WebP, as ``parameters``.

    Raises `MissingFile`, or `BrokenFile` for what is no picture.
    """
    try:
        with Image.open(path) as image:
            image.load()
            texts = {str(key): text for key, text in image.info.items() if isinstance(text, str)}
            comment = image.getexif().get_ifd(_EXIF).get(_USER_COMMENT)
    except FileNotFoundError:
        raise MissingFile(f"{path}: there is no such file") from None
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError, SyntaxError) as error:
        raise BrokenFile(path, f"it cannot be read as a picture ({error})") from error
    return {PARAMETERS: _comment(comment), **texts} if isinstance(comment, bytes) else texts


def named_models(texts: Mapping[str, str]) -> tuple[NamedModel, ...]:
    """From our own request where there is one, else from the hashes in webui's parameters."""
    ours = tuple(_of_request(texts.get(REQUEST, "")))
    return ours or tuple(dict.fromkeys(_of_parameters(texts.get(PARAMETERS, ""))))


def seed_of(texts: Mapping[str, str]) -> int | None:
    found = _SEED.search(texts.get(PARAMETERS, ""))
    return int(found[1]) if found else None


def _comment(value: bytes) -> str:
    """EXIF's user comment: eight bytes name its encoding."""
    if value.startswith(b"UNICODE\0"):
        return value[8:].decode("utf-16-be", "replace")
    return value[8:].decode("utf-8", "replace")


def _of_request(text: str) -> Iterator[NamedModel]:
    request = _json(text)
    for role in ("model", "vae"):
        if isinstance(ref := request.get(role), str):
            yield NamedModel(role, "", ref.lower())
    for use in _list(request.get("loras")):
        if isinstance(use, dict) and isinstance(ref := use.get("ref"), str):
            yield NamedModel("lora", "", ref.lower())


def _of_parameters(text: str) -> Iterator[NamedModel]:
    for role, key in (("model", "Model"), ("vae", "VAE")):
        if digest := _field(text, f"{key} hash"):
            yield NamedModel(role, _field(text, key), digest.lower())
    for role, key in (("lora", "Lora hashes"), ("embedding", "TI hashes")):
        for name, digest in _PAIR.findall(_field(text, key)):
            yield NamedModel(role, name.strip(), digest.lower().removeprefix("0x"))
    yield from _of_hashes(text)


def _of_hashes(text: str) -> Iterator[NamedModel]:
    """``Hashes: {"model": ..., "lora:NAME": ...}``, as Civitai reads it."""
    found = re.search(r"\bHashes: (\{[^{}]*\})", text)
    for key, digest in _json(found[1] if found else "").items():
        role, _, name = key.partition(":")
        if isinstance(digest, str) and re.fullmatch(r"(0x)?[0-9a-fA-F]{8,64}", digest):
            yield NamedModel(role, name, digest.lower().removeprefix("0x"))


def _field(text: str, key: str) -> str:
    found = re.search(rf"(?:^|, |\n){re.escape(key)}: ({_QUOTED}|[^,\n]+)", text)
    return found[1].strip().strip('"') if found else ""


def _json(text: str) -> Mapping[str, Any]:
    with suppress(ValueError):
        found = json.loads(text)
        return found if isinstance(found, dict) else {}
    return {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
