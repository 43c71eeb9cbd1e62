"""Opens catalog.db and gives out transactions: WAL, foreign keys, writers queue instead of failing."""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import QueuePool

from modelhub.catalog.tables import SCHEMA
from modelhub.errors import BrokenFile, Conflict, ModelHubError, OutOfResources

__all__ = ["Database"]

_BUSY_SECONDS = 30
_TIDYING = (
    "INSERT INTO search (search) VALUES ('optimize')",
    "INSERT INTO image_search (image_search) VALUES ('optimize')",
    "PRAGMA optimize",
)


class Database:
    """One catalog.db, at the schema that this code knows."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.root = Path(os.path.abspath(path.parent))
        """What paths inside the workspace are relative to."""
        self.is_read_only = _is_read_only(path)
        """Whether it lies on a disk that takes no writes: it can still be looked at."""
        self._engine = _engine(path, read_only=self.is_read_only)
        if _revision(path) != SCHEMA:
            with _explained(path):
                self._refuse_if_read_only()
                _upgrade(self._engine, path)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One consistent view."""
        with _explained(self.path), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """The only writer, from its first statement on; commits at the end, or leaves all as it was."""
        self._refuse_if_read_only()
        with _explained(self.path), self._engine.execution_options(writes=True).begin() as connection:
            yield connection

    def tidy(self) -> int:
        """Merge the search indexes, refresh what the planner knows, empty the log; returns the bytes given back."""
        before = self._size()
        with self.writing() as connection:
            for statement in _TIDYING:
                connection.exec_driver_sql(statement)
        raw = self._engine.raw_connection()
        try:
            raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")  # which no transaction may hold
        finally:
            raw.close()
        return max(0, before - self._size())

    def _size(self) -> int:
        files = (self.path, self.path.with_name(f"{self.path.name}-wal"))
        return sum(file.stat().st_size for file in files if file.exists())

    def close(self) -> None:
        self._engine.dispose()

    def _refuse_if_read_only(self) -> None:
        if self.is_read_only:
            raise ModelHubError(f"{self.path} lies on a disk that cannot be written", mend=f"ls -l {self.path.parent}")


def _is_read_only(path: Path) -> bool:
    """The log that lies beside the database needs its folder to be writable too."""
    return path.exists() and not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK))


def _address(path: Path, *, read_only: bool) -> str:
    """For sqlite3; a database that nobody can write is read as it is, with no lock and no log."""
    return f"file:{quote(str(path))}{'?mode=ro&immutable=1' if read_only else ''}"


def _engine(path: Path, *, read_only: bool = False) -> Engine:
    address = _address(path, read_only=read_only)

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(address, uri=True, timeout=_BUSY_SECONDS, check_same_thread=False)

    engine = create_engine("sqlite://", creator=connect, poolclass=QueuePool)

    @event.listens_for(engine, "connect")
    def _on_connect(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # sqlite3 must not begin transactions of its own: `_on_begin` does
        connection.execute("PRAGMA foreign_keys = ON")
        if not read_only:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _revision(path: Path) -> str | None:
    """The schema of an existing catalog, without the cost of importing Alembic; None for an empty one."""
    connection = sqlite3.connect(_address(path, read_only=_is_read_only(path)), uri=True, timeout=_BUSY_SECONDS)
    try:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.OperationalError:
        return None
    except sqlite3.DatabaseError as error:
        raise BrokenFile(path, f"is no catalog ({error})", mend="restore it from a catalog.db.bak-*") from error
    finally:
        connection.close()
    return str(row[0]) if row else None


def _upgrade(engine: Engine, path: Path) -> None:
    """Make or migrate the tables, as the only writer; of several processes that want to, the first one does."""
    from modelhub.catalog import migrations

    with engine.execution_options(writes=True).begin() as connection:
        found = _revision(path)
        if found is not None and not migrations.is_older(found):
            raise ModelHubError(
                f"{path} was written by a newer ModelHub (its schema is {found}, this one knows {SCHEMA})",
                mend="pip install --upgrade modelhub-suite",
            )
        if found not in (None, SCHEMA):
            _back_up(path, path.with_name(f"{path.name}.bak-{found}"))
        migrations.upgrade(connection)


def _back_up(path: Path, copy: Path) -> None:
    """Through SQLite, so that what still stands in the write-ahead log is copied too."""
    part = copy.with_name(f"{copy.name}.part")
    part.unlink(missing_ok=True)
    origin, target = sqlite3.connect(path), sqlite3.connect(part)
    try:
        origin.backup(target)
    finally:
        target.close()
        origin.close()
    shutil.move(part, copy)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        raise _explanation(path, error) from error


def _explanation(path: Path, error: OperationalError) -> Exception:
    said: Any = error.orig
    text = str(said)
    if "full" in text:
        return OutOfResources(f"the disk is full: {path} was not changed", mend=f"free space: df -h {path.parent}")
    if "locked" in text:
        return Conflict(f"another process has been writing to {path} for {_BUSY_SECONDS} s", mend="try again later")
    if "readonly" in text or "unable to open" in text:
        return ModelHubError(f"{path} cannot be written ({text})", mend=f"ls -l {path.parent}")
    return error
