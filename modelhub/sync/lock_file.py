"""`models.lock` on disk. Written by us, whole and in a stable order; read by people in a review."""

import os
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import tomlkit

from modelhub.errors import BadValue
from modelhub.kinds import Kind
from modelhub.licences import from_json, to_json
from modelhub.pull import Choice
from modelhub.sync.lock import Lock, Locked, LockedFile
from modelhub.sync.manifest import SCHEMA, address, read_toml, written
from modelhub.workspace import publish

__all__ = ["read_lock", "write_lock"]

_HEAD = "What models.toml came to, to the byte. `modelhub sync` writes this file; keep it beside models.toml."
_LINE = 80
"""Characters of texts in a list that still stand in one line."""


def read_lock(path: Path) -> Lock:
    """What the file says, nothing when there is none; raises `BadValue` naming what is wrong."""
    if not path.exists():
        return ()
    try:
        whole = msgspec.convert(read_toml(path), _File)
        return tuple(_locked(one, _folder(path)) for one in whole.model)
    except (msgspec.ValidationError, IndexError) as error:
        mend = f"take {path.name} from your version control, or delete it and sync anew"
        raise BadValue(f"{path}: {error}", mend=mend) from None


def write_lock(path: Path, lock: Lock) -> bool:
    """Write it whole, by name, unless it says just that; returns whether it was written."""
    text = _text(sorted(lock, key=lambda one: (one.name, str(one.ref))), _folder(path))
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return False
    with publish(path) as part:
        part.write_text(text, encoding="utf-8", newline="\n")
    return True


class _FileRow(msgspec.Struct, forbid_unknown_fields=True):
    path: str
    sha256: str
    size: int
    key: str = ""


class _Row(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    asked: str
    ref: str
    files: list[_FileRow]
    folder: bool = False
    kind: Kind | None = None
    choice: dict[str, str | bool] = {}
    tags: tuple[str, ...] = ()
    base: str = ""
    trigger_words: tuple[str, ...] = ()
    licence: dict[str, Any] = {}
    locked_at: date | None = None


class _File(msgspec.Struct, forbid_unknown_fields=True):
    model: list[_Row] = []


def _folder(path: Path) -> Path:
    return Path(os.path.abspath(path.parent))


def _locked(row: _Row, folder: Path) -> Locked:
    files = tuple(LockedFile(one.path, one.sha256.lower(), one.size, one.key) for one in row.files)
    if not files:
        raise msgspec.ValidationError(f"{row.name} has no files")
    return Locked(
        name=row.name,
        asked=address(row.asked, folder),
        ref=address(row.ref, folder),
        files=files,
        is_folder=row.folder,
        kind=row.kind,
        choice=msgspec.convert(row.choice, Choice),
        tags=row.tags,
        base=row.base,
        trigger_words=row.trigger_words,
        licence=from_json(row.licence),
        locked_at=row.locked_at,
    )


def _text(lock: Sequence[Locked], folder: Path) -> str:
    document = tomlkit.document()
    document.add(tomlkit.comment(_HEAD))
    document.add("schema", tomlkit.item(SCHEMA))
    if lock:
        models = tomlkit.aot()
        for one in lock:
            models.append(_table(one, folder))
        document.add("model", models)
    return tomlkit.dumps(document)


def _table(one: Locked, folder: Path) -> Any:
    """One model; what is empty is left out."""
    table = tomlkit.table()
    said: dict[str, Any] = {
        "name": one.name,
        "asked": written(one.asked, folder),
        "ref": written(one.ref, folder),
        "kind": one.kind,
        "folder": one.is_folder,
        "tags": list(one.tags),
        "base": one.base,
        "trigger_words": list(one.trigger_words),
        "locked_at": one.locked_at,
        "choice": _told(one.choice),
        "licence": to_json(one.licence),
    }
    for key, value in said.items():
        if value:
            table.add(key, _plain(value))
    files = tomlkit.aot()
    for file in one.files:
        files.append(tomlkit.item({name: value for name, value in asdict(file).items() if value != ""}))
    table.add("files", files)
    return table


def _told(choice: Choice) -> dict[str, Any]:
    """The fields that say something."""
    return {name: told for name, told in asdict(choice).items() if told not in ("", None)}


def _plain(value: Any) -> Any:
    """As TOML holds it: words of ours are texts, and the answers of a licence stand on a line each."""
    if isinstance(value, dict):
        table = tomlkit.table()
        table.update({name: _plain(each) for name, each in value.items()})
        return table
    if isinstance(value, tuple | list):
        texts = tomlkit.array()
        texts.extend(str(one) for one in value)
        return texts.multiline(len(", ".join(texts)) > _LINE)
    return str(value) if isinstance(value, str) else value
