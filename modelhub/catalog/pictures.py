"""Records pictures; finds the newest by words of their infotext, by path or bytes, and by the models that drew them."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, Select, func, insert, select, text

from modelhub.catalog import tables
from modelhub.catalog.fulltext import IMAGES, PADDING, holds
from modelhub.catalog.nouns import Image, Uses
from modelhub.catalog.places import read_place, written_place
from modelhub.catalog.rows import inserted, now, selected

__all__ = ["image", "matching", "pictures", "record", "uses_of", "with_digest", "with_path"]

_I, _USED = tables.image, tables.run_artifact.c


def record(connection: Connection, row: Mapping[str, Any]) -> int:
    """Write down a picture, to be found by every word of its infotext; returns its number."""
    number = inserted(connection, insert(_I).values(**row, made_at=now()))
    indexed = text("INSERT INTO image_search (rowid, infotext) VALUES (:id, :infotext)")
    connection.execute(indexed, {"id": number, "infotext": row["infotext"] + PADDING})
    return number


def matching(connection: Connection, words: str, limit: int) -> Select[int]:
    """Selects the numbers of pictures whose infotext holds every word, newest first."""
    found = [holds(connection, IMAGES, word) for word in words.split()]
    return select(IMAGES.c.rowid).where(*found).order_by(IMAGES.c.rowid.desc()).limit(limit)


def with_path(root: Path, path: Path) -> Select[int]:
    """Selects what was recorded at a path, newest first: pictures may have been replaced."""
    return select(_I.c.id).where(_I.c.path == written_place(root, path)).order_by(_I.c.id.desc()).limit(1)


def with_digest(sha256: str) -> Select[int]:
    return select(_I.c.id).where(_I.c.sha256 == sha256).order_by(_I.c.id.desc()).limit(1)


def pictures(connection: Connection, wanted: Select[int], root: Path) -> tuple[Image, ...]:
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
    return Uses(connection.scalar(drawn) or 0, pictures(connection, latest, root), tuple(dict.fromkeys(trained)))


def image(row: Row[Any], root: Path) -> Image:
    made_at = datetime.fromisoformat(row.made_at)
    return Image(
        row.id, row.run_id, read_place(root, row.path), row.sha256, row.width, row.height, row.infotext, made_at
    )
