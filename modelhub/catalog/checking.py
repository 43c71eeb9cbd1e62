"""What is written down when a file was checked."""

from pathlib import Path

from sqlalchemy import Connection, update

from modelhub.catalog import tables
from modelhub.catalog.labels import record_digests
from modelhub.catalog.nouns import Check, Verdict
from modelhub.catalog.rows import now
from modelhub.digests import Hashed
from modelhub.fingerprint import fingerprint

__all__ = ["note", "refresh"]

_AT = tables.location


def note(connection: Connection, place: str, check: Check, read: Hashed | None) -> None:
    """Of a file that was read and is the same, its present time too: the next scan need not read it."""
    values: dict[str, object] = {"state": "missing" if check.verdict is Verdict.MISSING else "present"}
    if check.verdict is Verdict.CHANGED:
        values["verified_at"] = None
    if read and read.seen and check.verdict in (Verdict.SAME, Verdict.RECORDED):
        values |= {"verified_at": now(), "mtime_ns": read.seen.mtime_ns, "file_key": read.seen.file_key}
    connection.execute(update(_AT).where(_AT.c.path == place).values(**values))
    if read and check.verdict is Verdict.RECORDED:
        record_digests(connection, check.artifact.id, read.digests)


def refresh(connection: Connection, place: str, path: Path) -> None:
    """Write down size, time and place on the disk of a file whose bytes are the same."""
    there = fingerprint(path)
    values = {"size": there.size, "mtime_ns": there.mtime_ns, "file_key": there.file_key}
    connection.execute(update(_AT).where(_AT.c.path == place).values(**values))
