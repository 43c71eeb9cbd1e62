"""`models.toml`: what a workspace shall hold, as its owner writes it."""

import os
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from modelhub import hubs
from modelhub.errors import BadValue, MissingFile, ModelHubError
from modelhub.hubs import HubRef, shown
from modelhub.kinds import Kind
from modelhub.pull import Choice
from modelhub.refs import check_name

__all__ = ["SCHEMA", "Entry", "Manifest", "address", "parse_manifest", "read_manifest", "read_toml", "written"]

SCHEMA = 1

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Entry:
    """One model that the workspace shall hold."""

    ref: HubRef
    name: str | None = None
    """In the catalog; None leaves it to the pull, and to whoever renames it."""
    kind: Kind | None = None
    """What it must be, where a hub offers several things under one address."""
    tags: tuple[str, ...] = ()
    choice: Choice = field(default_factory=Choice)

    @property
    def title(self) -> str:
        """For people."""
        return self.name or str(self.ref)


@dataclass(frozen=True, slots=True)
class Manifest:
    """All of `models.toml`."""

    entries: tuple[Entry, ...] = ()
    require: str = ""
    """What every licence must allow: ``commercial``; empty asks nothing."""
    mirrors: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Beginning of an address, or ``*`` -> where else its bytes may be had, in the order to try."""


def read_manifest(path: Path) -> Manifest:
    """What the file says; raises `MissingFile`, or `BadValue` naming the entry that is wrong."""
    if not path.exists():
        raise MissingFile(f"there is no {path}", mend="modelhub sync --init")
    return parse_manifest(read_toml(path), path)


def read_toml(path: Path) -> dict[str, Any]:
    """The tables of a file of ours, its schema number looked at and taken out."""
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadValue(f"{path} is no TOML: {error}", mend=f"correct {path}") from error
    schema = tables.pop("schema", SCHEMA)
    if not isinstance(schema, int) or schema > SCHEMA:
        raise BadValue(f"{path} was written by a newer ModelHub", mend="pip install -U modelhub-suite")
    return tables


def address(text: str, folder: Path) -> HubRef:
    """A hub's address; a relative ``folder:`` is meant from where the file lies that says it. Raises `BadValue`."""
    scheme, _, rest = text.partition(":")
    if scheme.lower() == "folder" and rest and not rest.startswith("~"):
        return hubs.parse(f"folder:{folder / rest}")
    return hubs.parse(text)


def written(ref: HubRef, folder: Path) -> str:
    """`address` read backwards: what lies below the folder is named from there, so that the folder may be moved."""
    if ref.hub == "folder" and (below := Path(ref.model)).is_relative_to(folder):
        return f"folder:./{below.relative_to(folder).as_posix()}"
    return str(ref)


def parse_manifest(tables: Mapping[str, Any], path: Path) -> Manifest:
    """The same, of tables that are read already; mirrors that are folders are meant from where the file lies."""
    whole = _convert(tables, _File, str(path))
    folder = Path(os.path.abspath(path.parent))
    entries = tuple(_entries(whole, path, folder))
    _check_unique(entries, path)
    mirrors = {
        prefix: tuple(
            _mirror(one, folder, f"{path}: mirrors of {prefix!r}")
            for one in ([places] if isinstance(places, str) else places)
        )
        for prefix, places in whole.mirrors.items()
    }
    return Manifest(entries, whole.require, mirrors)


class _File(msgspec.Struct, forbid_unknown_fields=True):
    require: str = ""
    mirrors: dict[str, str | list[str]] = {}
    models: dict[str, str] = {}
    model: list[dict[str, Any]] = []


class _Model(msgspec.Struct, forbid_unknown_fields=True):
    ref: str
    name: str | None = None
    kind: Kind | None = None
    tags: tuple[str, ...] = ()
    file: str = ""
    precision: str = ""
    format: str = ""
    pruned: bool | None = None


def _convert(tables: Mapping[str, Any], shape: type[T], where: str) -> T:
    try:
        return msgspec.convert(tables, shape)
    except msgspec.ValidationError as error:
        raise BadValue(f"{where}: {error}", mend="the entries are described in docs/hubs.md") from None


def _entries(whole: _File, path: Path, folder: Path) -> Iterator[Entry]:
    for name, ref in whole.models.items():
        yield _entry(_Model(ref=ref, name=name), f"{path}: models.{name}", folder)
    for number, fields in enumerate(whole.model, start=1):
        called = fields.get("name") or shown(str(fields.get("ref", ""))) or "without a ref"
        where = f"{path}: model {number} ({called})"
        yield _entry(_convert(fields, _Model, where), where, folder)


def _entry(model: _Model, where: str, folder: Path) -> Entry:
    choice = Choice(model.file, model.precision, model.format, model.pruned)
    try:
        name = check_name(model.name) if model.name is not None else None
        return Entry(address(model.ref, folder), name, model.kind, tuple(dict.fromkeys(model.tags)), choice)
    except ModelHubError as error:
        raise BadValue(f"{where}: {error.message}", mend=error.mend) from error


def _check_unique(entries: Sequence[Entry], path: Path) -> None:
    names = Counter(one.name for one in entries if one.name)
    asked = Counter((str(one.ref), one.choice, one.kind) for one in entries)
    twice = [name for name, count in names.items() if count > 1] or [
        key[0] for key, count in asked.items() if count > 1
    ]
    if twice:
        raise BadValue(f"{path}: two entries are called {twice[0]}", mend=f"correct {path}")


def _mirror(text: str, folder: Path, where: str) -> str:
    """A relative path is made absolute; a hub's name, and whatever a hub takes for an address, stays."""
    if text in hubs.names():
        return text
    if text.startswith((".", "~", "/")) or ":" not in text:
        return str(folder / Path(text).expanduser())
    try:
        hubs.parse(text)
    except ModelHubError as error:
        raise BadValue(f"{where}: {error.message}", mend="write a folder, a web address, or a hub") from error
    return text
