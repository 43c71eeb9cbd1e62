"""Decides to which artifact a file belongs, and writes that down: all in one transaction, with no file read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from modelhub.catalog import tables
from modelhub.catalog.labels import free_name, record_aliases, record_digests
from modelhub.catalog.rows import facts_json, inserted, now, reindex
from modelhub.identify import VERSION
from modelhub.kinds import Facts

__all__ = ["Digests", "Found", "Twin", "location", "settle", "twins_of"]

Digests = Mapping[str, str]

_A, _AT, _SHA256 = tables.artifact, tables.location, tables.digest.alias()
_PLACES = (
    select(_AT.c.artifact_id, _AT.c.path, _SHA256.c.value)
    .outerjoin(_SHA256, (_SHA256.c.artifact_id == _AT.c.artifact_id) & (_SHA256.c.algorithm == "sha256"))
    .where(_AT.c.state == "present")
    .order_by(_AT.c.artifact_id)
)


@dataclass(frozen=True, slots=True)
class Found:
    """A file as it is now."""

    place: str
    """Its path as the table writes it."""
    stem: str
    size: int
    mtime_ns: int
    facts: Facts
    aliases: frozenset[str]


@dataclass(frozen=True, slots=True)
class Twin:
    """A file of the same size at another place."""

    artifact_id: int
    place: str
    sha256: str | None
    """Of its artifact, when it is known."""


def twins_of(connection: Connection, found: Found) -> tuple[Twin, ...]:
    """Those that may have the same bytes, lowest ID first."""
    same_size = _PLACES.where(_AT.c.size == found.size, _AT.c.path != found.place)
    return tuple(Twin(*row) for row in connection.execute(same_size))


def settle(connection: Connection, found: Found, twins: Sequence[Twin], hashed: Mapping[str, Digests]) -> int:
    """Give the file to its artifact, new or known; every twin must have a digest, its own or in `hashed`."""
    for twin in twins:
        if twin.sha256 is None:
            record_digests(connection, twin.artifact_id, hashed[twin.place])
    at, equal = location(connection, found.place), _equal(found, twins, hashed)
    if equal is not None:
        owner = _joined(connection, equal, at, found)
    elif at is not None and not _lies_elsewhere(connection, at):
        owner = _refreshed(connection, at.artifact_id, found)
    else:
        owner = _created(connection, found)
    _write_location(connection, owner, found)
    record_digests(connection, owner, hashed.get(found.place, {}))
    record_aliases(connection, owner, found.aliases)
    return owner


def location(connection: Connection, place: str) -> Row[Any] | None:
    """What the catalog knows of `place`, unless its artifact was removed."""
    alive = select(_AT).join(_A, _A.c.id == _AT.c.artifact_id).where(_A.c.removed_at.is_(None))
    return connection.execute(alive.where(_AT.c.path == place)).one_or_none()


def _equal(found: Found, twins: Sequence[Twin], hashed: Mapping[str, Digests]) -> int | None:
    """The lowest artifact with the same bytes."""
    ours = hashed.get(found.place, {}).get("sha256")
    known = ((twin.artifact_id, twin.sha256 or hashed[twin.place].get("sha256")) for twin in twins)
    return next((artifact_id for artifact_id, sha256 in known if ours and sha256 == ours), None)


def _joined(connection: Connection, twin: int, at: Row[Any] | None, found: Found) -> int:
    """The artifact that two equal files share: the lower ID stays, and a higher one left without a file redirects."""
    if at is None or at.artifact_id == twin or _lies_elsewhere(connection, at):
        return twin
    stays, goes = sorted((twin, int(at.artifact_id)))
    _merge(connection, stays, goes)
    return _refreshed(connection, stays, found)


def _merge(connection: Connection, stays: int, goes: int) -> None:
    for table in (_AT, tables.alias, tables.tag, tables.source, tables.run_artifact):
        moved = update(table).where(table.c.artifact_id == goes).values(artifact_id=stays)
        connection.execute(moved.prefix_with("OR IGNORE"))
    connection.execute(update(_A).where(_A.c.id == goes).values(removed_at=now()))
    redirected = update(_A).where((_A.c.id == goes) | (_A.c.merged_into == goes))
    connection.execute(redirected.values(merged_into=stays))
    reindex(connection, goes)


def _refreshed(connection: Connection, artifact_id: int, found: Found) -> int:
    """The file was replaced by another at the same path: the artifact stays, what was known of its bytes goes."""
    connection.execute(delete(tables.digest).where(tables.digest.c.artifact_id == artifact_id))
    connection.execute(update(_A).where(_A.c.id == artifact_id).values(**_described(found.facts)))
    return artifact_id


def _created(connection: Connection, found: Found) -> int:
    name = free_name(connection, found.stem, found.facts.kind)
    return inserted(connection, insert(_A).values(name=name, added_at=now(), **_described(found.facts)))


def _described(facts: Facts) -> dict[str, str | int | None]:
    return {"kind": facts.kind, "family": facts.family, "facts": facts_json(facts), "identified_by": VERSION}


def _write_location(connection: Connection, owner: int, found: Found) -> None:
    connection.execute(delete(_AT).where(_AT.c.path == found.place))
    row = {"path": found.place, "size": found.size, "mtime_ns": found.mtime_ns, "state": "present"}
    connection.execute(insert(_AT).values(artifact_id=owner, **row))


def _lies_elsewhere(connection: Connection, at: Row[Any]) -> bool:
    """Whether the artifact at this location would keep another file if it lost this one."""
    others = select(_AT.c.id).where(_AT.c.artifact_id == at.artifact_id, _AT.c.id != at.id)
    return connection.execute(others.where(_AT.c.state == "present")).first() is not None
