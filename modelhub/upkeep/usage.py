"""How much room models take: by kind, family, folder or tag, with what is held twice, missing or in the trash."""

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from modelhub.catalog import Catalog
from modelhub.errors import MissingFile
from modelhub.fingerprint import fingerprint
from modelhub.kinds import Artifact

__all__ = ["By", "Row", "Usage", "usage"]


class By(StrEnum):
    """What to group by."""

    KIND = "kind"
    FAMILY = "family"
    FOLDER = "folder"
    TAG = "tag"


@dataclass(frozen=True, slots=True)
class Row:
    """One group."""

    name: str
    models: int
    apparent: int
    """Bytes that its files show."""
    real: int
    """Bytes with every file counted once, however many names it has."""


@dataclass(frozen=True, slots=True)
class Usage:
    """The room that everything takes, in bytes."""

    rows: tuple[Row, ...]
    """Largest first; with tags, a model counts in each of its own."""
    total: Row
    duplicates: int
    """In further copies of one model."""
    missing: int
    """Files that are not where they were."""
    trash: int
    cache: int


@dataclass(frozen=True, slots=True)
class _File:
    artifact: Artifact
    path: Path
    size: int
    key: str
    """Device and inode."""


def usage(catalog: Catalog, by: By) -> Usage:
    """Look at every file once; nothing is read."""
    files, missing = _files(catalog.list())
    groups: dict[str, list[_File]] = defaultdict(list)
    for file in files:
        for name in _GROUPS[by](file, catalog.workspace.root):
            groups[name].append(file)
    rows = [_row(name, group) for name, group in groups.items()]
    rows.sort(key=lambda row: (-row.real, row.name))
    trash = sum(thing.size for thing in catalog.trash.list())
    cache = _folder_size(catalog.workspace.cache)
    return Usage(tuple(rows), _row("all", files), _duplicates(files), missing, trash, cache)


def _files(artifacts: Sequence[Artifact]) -> tuple[list[_File], int]:
    files, missing = [], 0
    for artifact in artifacts:
        for at in artifact.locations:
            try:
                there = fingerprint(at.path)
            except MissingFile:
                missing += 1
            else:
                files.append(_File(artifact, at.path, there.size, there.file_key))
    return files, missing


def _row(name: str, files: Sequence[_File]) -> Row:
    once = {file.key: file.size for file in files}
    models = {file.artifact.id for file in files}
    return Row(name, len(models), sum(file.size for file in files), sum(once.values()))


def _duplicates(files: Iterable[_File]) -> int:
    copies: dict[int, dict[str, int]] = defaultdict(dict)
    for file in files:
        copies[file.artifact.id][file.key] = file.size
    return sum(sum(sizes.values()) - max(sizes.values()) for sizes in copies.values())


def _folder(file: _File, root: Path) -> list[str]:
    folder = file.path.parent
    return [folder.relative_to(root).as_posix() if folder.is_relative_to(root) else str(folder)]


_GROUPS: Mapping[By, Callable[[_File, Path], Sequence[str]]] = {
    By.KIND: lambda file, _: [file.artifact.facts.kind],
    By.FAMILY: lambda file, _: [file.artifact.facts.family or "?"],
    By.FOLDER: _folder,
    By.TAG: lambda file, _: file.artifact.tags or ["(no tag)"],
}


def _folder_size(folder: Path) -> int:
    return sum(os.lstat(path).st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
