"""What a scan asks and writes: plain rows, since a collection may have a hundred thousand files."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection, insert, select, update

from modelhub.catalog import tables
from modelhub.catalog.labels import record_aliases, record_digests
from modelhub.catalog.places import read_place, written_place
from modelhub.catalog.rows import now, reindex
from modelhub.fingerprint import Fingerprint
from modelhub.identify import VERSION
from modelhub.kinds import Kind

__all__ = ["KnownFile", "KnownRow", "Root", "known_rows", "mark_missing", "note_digests", "note_keys", "relocate"]
__all__ += ["remember_root", "roots", "unhashed"]

_AT, _ROOT = tables.location, tables.root
_KNOWN = """
SELECT l.path, l.size, l.mtime_ns, l.file_key, coalesce(l.sidecars, ''),
       l.state = 'present', a.identified_by < ?, l.sample, l.artifact_id
FROM location AS l JOIN artifact AS a ON a.id = l.artifact_id
WHERE l.state IN ('present', 'missing') AND a.removed_at IS NULL
"""
_UNHASHED = """
SELECT l.path, a.kind FROM location AS l JOIN artifact AS a ON a.id = l.artifact_id
WHERE l.state = 'present' AND NOT EXISTS
    (SELECT 1 FROM digest AS d WHERE d.artifact_id = l.artifact_id AND d.algorithm = 'sha256')
GROUP BY l.artifact_id ORDER BY l.size
"""


class KnownFile(NamedTuple):
    """A file as the catalog knows it."""

    path: str
    """Absolute."""
    size: int
    """Bytes."""
    mtime_ns: int
    file_key: str | None
    sidecars: str
    """Stamp of the notes beside it when they were read."""
    present: bool
    outdated: bool
    """Whether an older version of this program identified it."""
    sample: str | None
    artifact_id: int


KnownRow = tuple[str, int, int, str | None, str, bool, bool, str | None, int]
"""The fields of a `KnownFile`: of plain tuples a hundred thousand are nothing to the garbage collector."""


@dataclass(frozen=True, slots=True)
class Root:
    """A folder that scans look through."""

    path: Path
    scanned_at: datetime | None
    """End of the last scan that got through."""


def known_rows(connection: Connection, root: Path) -> list[KnownRow]:
    """Every file that is present or missing; not what lies in the trash."""
    rows = connection.exec_driver_sql(_KNOWN, (VERSION,)).cursor.fetchall()
    return [row if row[0][0] == os.sep else (str(read_place(root, row[0])), *row[1:]) for row in rows]


def relocate(connection: Connection, root: Path, was: Path, path: Path, seen: Fingerprint) -> bool:
    """A file has another path now, its artifact stays; False when somebody else wrote that path down meanwhile."""
    there = written_place(root, path)
    values = {"path": there, "state": "present", "size": seen.size, "mtime_ns": seen.mtime_ns}
    moved = update(_AT).where(_AT.c.path == written_place(root, was)).values(file_key=seen.file_key, **values)
    if connection.execute(moved.prefix_with("OR IGNORE")).rowcount != 1:
        return False
    artifact_id = connection.scalars(select(_AT.c.artifact_id).where(_AT.c.path == there)).one()
    record_aliases(connection, artifact_id, [path.name if path.is_dir() else path.stem])
    reindex(connection, artifact_id)
    return True


def mark_missing(connection: Connection, root: Path, paths: Iterable[str]) -> None:
    rows = [(written_place(root, Path(path)),) for path in paths]
    if rows:
        connection.exec_driver_sql("UPDATE location SET state = 'missing' WHERE path = ? AND state = 'present'", rows)


def note_keys(connection: Connection, root: Path, keys: Mapping[str, str]) -> None:
    """Path -> device and inode: they change when a disk is mounted anew."""
    rows = [(key, written_place(root, Path(path))) for path, key in keys.items()]
    if rows:
        connection.exec_driver_sql("UPDATE location SET file_key = ? WHERE path = ?", rows)


def unhashed(connection: Connection, root: Path) -> dict[Path, Kind]:
    """A present file of each artifact that has no sha256 yet, smallest first, and what it is."""
    return {read_place(root, path): Kind(kind) for path, kind in connection.exec_driver_sql(_UNHASHED)}


def note_digests(connection: Connection, root: Path, path: Path, seen: Fingerprint, digests: Mapping[str, str]) -> bool:
    """Keep the digests of a file, unless it is not the one any more that the catalog knows."""
    place = _AT.c.path == written_place(root, path)
    row = connection.execute(select(_AT.c.artifact_id, _AT.c.size, _AT.c.mtime_ns).where(place)).one_or_none()
    if row is None or (row.size, row.mtime_ns) != (seen.size, seen.mtime_ns):
        return False
    record_digests(connection, row.artifact_id, digests)
    return True


def roots(connection: Connection, root: Path) -> tuple[Root, ...]:
    rows = connection.execute(select(_ROOT.c.path, _ROOT.c.scanned_at).order_by(_ROOT.c.path))
    return tuple(Root(read_place(root, row.path), _moment(row.scanned_at)) for row in rows)


def remember_root(connection: Connection, root: Path, path: Path, *, scanned: bool) -> None:
    place = written_place(root, path)
    connection.execute(insert(_ROOT).prefix_with("OR IGNORE").values(path=place))
    if scanned:
        connection.execute(update(_ROOT).where(_ROOT.c.path == place).values(scanned_at=now()))


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
