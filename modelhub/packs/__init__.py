"""Sets of models that many want together, one TOML file a set: `modelhub pull pack:sd15`. To add one, add a file."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import PurePosixPath
from typing import Any

import msgspec

from modelhub import hubs
from modelhub.errors import BadValue
from modelhub.pull import Choice, Wish

__all__ = ["PREFIX", "Pack", "packs", "read_pack"]

PREFIX = "pack:"
"""Before a pack's name, where a hub's address could stand."""


@dataclass(frozen=True, slots=True)
class Pack:
    """Models that many want together."""

    name: str
    title: str
    about: str
    wishes: tuple[Wish, ...]
    size: int
    """Bytes of all its models, as its file tells."""


def packs() -> tuple[str, ...]:
    """Names of all packs, in alphabetical order."""
    files = (PurePosixPath(one.name) for one in resources.files(__package__).iterdir())
    return tuple(sorted(one.stem for one in files if one.suffix == ".toml"))


def read_pack(name: str) -> Pack:
    """The pack of that name, with or without ``pack:``; raises `BadValue` naming those there are."""
    short = name.removeprefix(PREFIX)
    if short not in packs():
        raise BadValue(f"there is no pack {short!r}", mend=f"one of {', '.join(PREFIX + one for one in packs())}")
    return _pack(short, tomllib.loads(resources.files(__package__).joinpath(f"{short}.toml").read_text("utf-8")))


class _Model(msgspec.Struct, forbid_unknown_fields=True):
    ref: str
    size: int
    name: str | None = None
    tags: tuple[str, ...] = ()
    sha256: str | None = None


class _File(msgspec.Struct, forbid_unknown_fields=True):
    title: str
    about: str
    model: list[_Model]


def _pack(name: str, content: Mapping[str, Any]) -> Pack:
    held = msgspec.convert(content, _File)
    wishes = tuple(_wish(one) for one in held.model)
    return Pack(name, held.title, held.about, wishes, sum(one.size for one in held.model))


def _wish(model: _Model) -> Wish:
    ref = hubs.parse(model.ref)
    expected = {PurePosixPath(ref.file).name: model.sha256} if ref.file and model.sha256 else {}
    return Wish(ref, name=model.name, tags=model.tags, choice=Choice(), sha256=expected)
