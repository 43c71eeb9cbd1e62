"""Registers files in place. What is slow (reading, hashing) comes before the write transaction, never inside it."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from sqlalchemy import Connection

from modelhub.catalog.database import Database
from modelhub.catalog.labels import record_tags, set_name
from modelhub.catalog.places import read_place, written_place
from modelhub.catalog.rows import reindex
from modelhub.catalog.settling import Digests, Found, Twin, location, settle, twins_of
from modelhub.digests import file_digests
from modelhub.errors import MissingFile
from modelhub.headers import TensorTable, read_table
from modelhub.identify import identify
from modelhub.kinds import Facts

__all__ = ["put"]

_MAX_ALIAS = 200
"""Characters."""


def put(database: Database, path: Path, *, name: str | None, tags: Sequence[str], facts: Facts | None) -> int:
    """Make sure that the catalog holds the file at `path`; returns its ID.

    Adding the same path again refreshes what changed; a byte-identical file elsewhere becomes a second
    location of the artifact that was there first.
    """
    known = _unchanged(database, path)
    if known is None:
        return _register(database, _read(database.root, path, facts), name, tags)
    if name is not None or tags:
        with database.writing() as connection:
            _label(connection, known, name, tags)
    return known


def _unchanged(database: Database, path: Path) -> int | None:
    """The artifact at `path`, if the file is as it was when we last looked."""
    with database.reading() as connection:
        at = location(connection, written_place(database.root, path))
    if at is None or at.state != "present" or not path.is_file():
        return None
    there = path.stat()
    return at.artifact_id if (at.size, at.mtime_ns) == (there.st_size, there.st_mtime_ns) else None


def _read(root: Path, path: Path, facts: Facts | None) -> Found:
    table = read_table(path)
    there = path.stat()
    return Found(
        place=written_place(root, path),
        stem=path.stem,
        size=there.st_size,
        mtime_ns=there.st_mtime_ns,
        facts=facts or identify(table, name=path.stem),
        aliases=_aliases(path, table),
    )


def _aliases(path: Path, table: TensorTable) -> frozenset[str]:
    named = table.metadata.get("ss_output_name", "").strip()
    trusted = named not in ("", "None") and named.isprintable() and len(named) <= _MAX_ALIAS
    return frozenset({path.stem, named} if trusted else {path.stem})


def _register(database: Database, found: Found, name: str | None, tags: Sequence[str]) -> int:
    """Hash what has the same size as something we hold until nothing is left to compare, then write."""
    hashed: dict[str, Digests] = {}
    while True:
        with database.writing() as connection:
            twins = twins_of(connection, found)
            lacking = _unhashed(found, twins, hashed)
            if not lacking:
                artifact_id = settle(connection, found, twins, hashed)
                _label(connection, artifact_id, name, tags)
                return artifact_id
        hashed |= {place: _digests(read_place(database.root, place)) for place in lacking}


def _unhashed(found: Found, twins: Sequence[Twin], hashed: Mapping[str, Digests]) -> set[str]:
    needed = {twin.place for twin in twins if twin.sha256 is None} | ({found.place} if twins else set())
    return needed - hashed.keys()


def _digests(path: Path) -> Digests:
    try:
        return file_digests(path)
    except MissingFile:
        return {}


def _label(connection: Connection, artifact_id: int, name: str | None, tags: Sequence[str]) -> None:
    if name is not None:
        set_name(connection, artifact_id, name)
    record_tags(connection, artifact_id, tags)
    reindex(connection, artifact_id)
