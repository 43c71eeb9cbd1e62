"""What an artifact is found by besides its ID: its name, aliases, tags and digests."""

import re
from collections.abc import Iterable, Mapping
from itertools import count

from sqlalchemy import Connection, Table, insert, select, update

from modelhub.catalog import tables
from modelhub.errors import BadValue, NameTaken
from modelhub.kinds import Kind
from modelhub.refs import check_name

__all__ = ["free_name", "record_aliases", "record_digests", "record_tags", "set_name"]

_A = tables.artifact


def set_name(connection: Connection, artifact_id: int, name: str) -> None:
    """Raises `BadValue` for a name that could be misread, `NameTaken` for another artifact's."""
    check_name(name)
    if (owner := _owner(connection, name)) not in (None, artifact_id):
        raise NameTaken(f"{name!r} is the name of artifact {owner}", mend=f"modelhub rename {owner} ANOTHER-NAME")
    connection.execute(update(_A).where(_A.c.id == artifact_id).values(name=name))


def free_name(connection: Connection, stem: str, kind: Kind) -> str:
    """A name like the file's that nobody has."""
    wished = _readable(stem, kind)
    if _owner(connection, wished) is None:
        return wished
    return next(name for n in count(2) if _owner(connection, name := f"{wished}-{n}") is None)


def record_tags(connection: Connection, artifact_id: int, tags: Iterable[str]) -> None:
    """Add to those it has."""
    _insert_each(connection, tables.tag, artifact_id, [{"tag": tag} for tag in tags])


def record_aliases(connection: Connection, artifact_id: int, aliases: Iterable[str]) -> None:
    """Add to those it has."""
    _insert_each(connection, tables.alias, artifact_id, [{"alias": alias} for alias in aliases])


def record_digests(connection: Connection, artifact_id: int, digests: Mapping[str, str]) -> None:
    rows = [{"algorithm": algorithm, "value": value} for algorithm, value in digests.items()]
    _insert_each(connection, tables.digest, artifact_id, rows)


def _readable(stem: str, kind: Kind) -> str:
    """A valid name that looks like the file's."""
    name = re.sub(r"[\s:=@/\\<>\x00-\x1f\x7f]+", "-", stem).strip("-")
    try:
        return check_name(name)
    except BadValue:
        return f"{kind}-{name.replace('.', '-')}".strip("-")


def _owner(connection: Connection, name: str) -> int | None:
    return connection.scalar(select(_A.c.id).where(_A.c.name == name, _A.c.removed_at.is_(None)))


def _insert_each(connection: Connection, table: Table, artifact_id: int, rows: Iterable[Mapping[str, str]]) -> None:
    if full := [{"artifact_id": artifact_id, **row} for row in rows]:
        connection.execute(insert(table).prefix_with("OR REPLACE"), full)
