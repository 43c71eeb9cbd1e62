"""What an artifact is found by besides its ID, and what its owner says of it: names, tags, digests, a note."""

import re
from collections.abc import Iterable, Mapping
from itertools import count

from sqlalchemy import Connection, Table, delete, insert, select, update

from modelhub.catalog import tables
from modelhub.catalog.rows import facts_json
from modelhub.errors import BadValue, NameTaken
from modelhub.kinds import Facts, Kind
from modelhub.refs import check_name

__all__ = [
    "drop_tags",
    "free_name",
    "record_aliases",
    "record_digests",
    "record_facts",
    "record_note",
    "record_tags",
    "record_weight",
    "set_name",
]

_A = tables.artifact
_TAG = tables.tag.c


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


def drop_tags(connection: Connection, artifact_id: int, tags: Iterable[str]) -> None:
    """Take away those of them that it has."""
    connection.execute(delete(tables.tag).where(_TAG.artifact_id == artifact_id, _TAG.tag.in_(list(tags))))


def record_note(connection: Connection, artifact_id: int, note: str) -> None:
    connection.execute(update(_A).where(_A.c.id == artifact_id).values(note=note.strip()))


def record_weight(connection: Connection, artifact_id: int, weight: float | None) -> None:
    connection.execute(update(_A).where(_A.c.id == artifact_id).values(weight=weight))


def record_facts(connection: Connection, artifact_id: int, facts: Facts) -> None:
    values = {"kind": facts.kind, "family": facts.family, "facts": facts_json(facts)}
    connection.execute(update(_A).where(_A.c.id == artifact_id).values(**values))


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
