"""Records pictures; finds the newest by words of their infotext, by path or bytes, and by the models that drew them."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, func, insert, select, text

from modelhub.catalog import tables
from modelhub.catalog.database import Database
from modelhub.catalog.fulltext import IMAGES, PADDING, holds
from modelhub.catalog.nouns import Image, Uses
from modelhub.catalog.places import read_place, written_place
from modelhub.catalog.rows import inserted, now, selected

__all__ = ["Pictures", "image", "uses_of"]

_I, _USED = tables.image, tables.run_artifact.c


class Pictures:
    """The pictures that runs drew: `Catalog.pictures`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._root = database.root

    def record(self, run_id: int, path: Path, *, sha256: str, width: int, height: int, infotext: str) -> int:
        """Write down a picture that a run drew; returns its number."""
        row = {"run_id": run_id, "sha256": sha256, "width": width, "height": height, "infotext": infotext}
        with self._database.writing() as connection:
            return _record(connection, {**row, "path": written_place(self._root, path)})

    def search(self, words: str, *, limit: int = 50) -> tuple[Image, ...]:
        """The newest pictures whose infotext holds every word (or part of one), however short."""
        with self._database.reading() as connection:
            return _pictures(connection, _matching(connection, words, limit), self._root)

    def at(self, path: Path) -> Image | None:
        """The newest picture recorded at `path`, if there is one."""
        return self._newest(_I.c.path == written_place(self._root, path))

    def with_sha256(self, digest: str) -> Image | None:
        """The newest picture of these bytes, wherever it lay."""
        return self._newest(_I.c.sha256 == digest)

    def uses(self, artifact_id: int, *, newest: int = 5) -> Uses:
        """What was drawn and trained with an artifact: a count, the newest pictures, and what learned on it."""
        with self._database.reading() as connection:
            return uses_of(connection, artifact_id, newest, self._root)

    def _newest(self, fits: ColumnElement[bool]) -> Image | None:
        wanted = select(_I.c.id).where(fits).order_by(_I.c.id.desc()).limit(1)
        with self._database.reading() as connection:
            return next(iter(_pictures(connection, wanted, self._root)), None)


def _record(connection: Connection, row: Mapping[str, Any]) -> int:
    """Write down a picture, to be found by every word of its infotext; returns its number."""
    number = inserted(connection, insert(_I).values(**row, made_at=now()))
    indexed = text("INSERT INTO image_search (rowid, infotext) VALUES (:id, :infotext)")
    connection.execute(indexed, {"id": number, "infotext": row["infotext"] + PADDING})
    return number


def _matching(connection: Connection, words: str, limit: int) -> Select[int]:
    """Selects the numbers of pictures whose infotext holds every word, newest first."""
    found = [holds(connection, IMAGES, word) for word in words.split()]
    return select(IMAGES.c.rowid).where(*found).order_by(IMAGES.c.rowid.desc()).limit(limit)


def _pictures(connection: Connection, wanted: Select[int], root: Path) -> tuple[Image, ...]:
    """Those whose numbers `wanted` selects, in its order."""
    numbers = list(connection.scalars(wanted))
    rows: dict[int, Row[Any]] = {
        row.id: row for row in connection.execute(select(_I).where(selected(_I.c.id, numbers)))
    }
    return tuple(image(rows[number], root) for number in numbers if number in rows)


def uses_of(connection: Connection, artifact_id: int, newest: int, root: Path) -> Uses:
    """What runs that used the artifact have drawn and trained."""
    runs = select(_USED.run_id).where(_USED.artifact_id == artifact_id, _USED.direction == "in")
    drawn = select(func.count()).select_from(_I).where(_I.c.run_id.in_(runs))
    latest = select(_I.c.id).where(_I.c.run_id.in_(runs)).order_by(_I.c.id.desc()).limit(newest)
    made = select(_USED.artifact_id).where(_USED.direction == "out", _USED.run_id.in_(runs))
    trained = connection.scalars(made.order_by(_USED.run_id.desc()))
    return Uses(connection.scalar(drawn) or 0, _pictures(connection, latest, root), tuple(dict.fromkeys(trained)))


def image(row: Row[Any], root: Path) -> Image:
    made_at = datetime.fromisoformat(row.made_at)
    return Image(
        row.id, row.run_id, read_place(root, row.path), row.sha256, row.width, row.height, row.infotext, made_at
    )
