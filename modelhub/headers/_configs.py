"""The JSON beside weights: configurations as flat text, and which shard holds what."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from modelhub.errors import BrokenFile, MissingFile

__all__ = ["flat", "read_config", "read_shard_names"]

_MAX_CONFIG = 1_000_000
_MAX_INDEX = 10_000_000
"""Bytes: the names of 100,000 tensors."""
_MAX_TEXT = 4096


class _Index(msgspec.Struct):
    weight_map: dict[str, str]


def read_config(path: Path) -> dict[str, Any]:
    """The object in a JSON file; raises `BrokenFile` for anything else and for more than a megabyte."""
    try:
        found = json.loads(_bounded(path, _MAX_CONFIG))
    except (ValueError, RecursionError) as error:
        raise BrokenFile(path, f"it is not JSON ({type(error).__name__})") from None
    if not isinstance(found, dict):
        raise BrokenFile(path, "it is JSON, but not an object")
    return found


def read_shard_names(path: Path) -> set[str]:
    """The files that an index names."""
    try:
        names = set(msgspec.json.decode(_bounded(path, _MAX_INDEX), type=_Index).weight_map.values())
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BrokenFile(path, f"it is no index of shards ({error})") from None
    if not names:
        raise BrokenFile(path, "it names no shards", mend="download it again")
    return names


def flat(config: Mapping[str, Any]) -> dict[str, str]:
    """Texts as they are, numbers, truths and short lists of them as JSON spells them; the rest is left out."""
    texts = {key: _text(value) for key, value in config.items()}
    return {_whole(key): _whole(text) for key, text in texts.items() if text is not None and len(text) <= _MAX_TEXT}


def _text(value: object) -> str | None:
    if isinstance(value, str):
        return value
    parts = value if isinstance(value, list) else [value]
    plain = all(isinstance(one, str | int | float) for one in parts)
    return json.dumps(value, ensure_ascii=False) if plain else None


def _whole(text: str) -> str:
    """JSON can spell half a character, which no database and no terminal takes."""
    return text.encode(errors="replace").decode()


def _bounded(path: Path, limit: int) -> bytes:
    try:
        with path.open("rb") as file:
            text = file.read(limit + 1)
    except (FileNotFoundError, IsADirectoryError):
        raise MissingFile(f"{path}: there is no such file") from None
    if len(text) > limit:
        raise BrokenFile(path, f"it has more than the {limit:,} bytes allowed")
    return text
