"""Records pictures; finds the newest by words of their infotext, by path or bytes, and by the models that drew them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, func, insert, or_, select, text, update

from modelhub.catalog import tables
from modelhub.catalog.database import Database
from modelhub.catalog.fulltext import IMAGES, PADDING, holds
from modelhub.catalog.nouns import Found, Image, PictureQuery, Uses
from modelhub.catalog.places import read_place, written_place
from modelhub.catalog.rows import inserted, now, selected

__all__ = ["Pictures", "image", "uses_of"]

_I, _USED, _NAMED = tables.image, tables.run_artifact.c, tables.image_model.c
_ALL = PictureQuery()
_AFTER = "\uffff"
_SHORTEST, _LONGEST = 8, 64
"""Digits of a digest by which pictures name models."""


class Pictures:
    """The pictures that runs drew, or found in folders: `Catalog.pictures`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._root = database.root

    def record(
        self, run_id: int, path: Path, *, sha256: str, width: int, height: int, infotext: str,
        inputs: Sequence[tuple[str, str]] = (),
    ) -> int:  # fmt: skip
        """Write down a picture that a run drew, from the `inputs`: (role, SHA-256); returns its number."""
        row = {"run_id": run_id, "sha256": sha256, "width": width, "height": height, "infotext": infotext}
        with self._database.writing() as connection:
            number = _record(connection, {**row, "path": written_place(self._root, path), "made_at": now()})
            rows = [{"image_id": number, "role": role, "sha256": digest} for role, digest in inputs]
            if rows:
                connection.execute(insert(tables.image_input).prefix_with("OR IGNORE"), rows)
        return number

    def adopt(self, run_id: int, found: Sequence[Found]) -> None:
        """Write down pictures that lay in a folder, as made when their files were written."""
        with self._database.writing() as connection:
            for one in found:
                _adopt(connection, run_id, one, written_place(self._root, one.path))

    def move(self, number: int, path: Path, *, mtime_ns: int) -> None:
        """Write down that a picture's file lies somewhere else now."""
        moved = update(_I).where(_I.c.id == number)
        with self._database.writing() as connection:
            connection.execute(moved.values(path=written_place(self._root, path), mtime_ns=mtime_ns))

    def rate(self, number: int, rating: int | None) -> None:
        """Give a picture 1 to 5 stars, or none."""
        with self._database.writing() as connection:
            connection.execute(update(_I).where(_I.c.id == number).values(rating=rating))

    def search(self, words: str, *, limit: int = 50) -> tuple[Image, ...]:
        """The newest pictures whose infotext holds every word (or part of one), however short."""
        with self._database.reading() as connection:
            return _pictures(connection, _matching(connection, words, limit), self._root)

    def list(self, query: PictureQuery = _ALL) -> tuple[Image, ...]:
        """The pictures that `query` asks for, newest first."""
        with self._database.reading() as connection:
            return _pictures(connection, _asked(connection, query), self._root)

    def number(self, number: int) -> Image | None:
        """The picture of that number."""
        return self._newest(_I.c.id == number)

    def at(self, path: Path) -> Image | None:
        """The newest picture recorded at `path`, if there is one."""
        return self._newest(_I.c.path == written_place(self._root, path))

    def with_sha256(self, digest: str) -> Image | None:
        """The newest picture of these bytes, wherever it lay."""
        return self._newest(_I.c.sha256 == digest)

    def inputs(self, number: int) -> tuple[tuple[str, str], ...]:
        """(role, SHA-256) of the pictures that a picture was drawn from."""
        given = tables.image_input.c
        wanted = select(given.role, given.sha256).where(given.image_id == number).order_by(given.role)
        with self._database.reading() as connection:
            return tuple((row.role, row.sha256) for row in connection.execute(wanted))

    def drawn_from(self, digest: str) -> tuple[Image, ...]:
        """The pictures that were drawn from the one with this SHA-256, newest first."""
        given = tables.image_input.c
        wanted = select(given.image_id).where(given.sha256 == digest).order_by(given.image_id.desc())
        with self._database.reading() as connection:
            return _pictures(connection, wanted.distinct(), self._root)

    def named(self, number: int) -> tuple[tuple[str, str, str], ...]:
        """(role, name, beginning of a digest) of the models that a found picture names."""
        wanted = select(_NAMED.role, _NAMED.name, _NAMED.digest).where(_NAMED.image_id == number)
        with self._database.reading() as connection:
            return tuple((row.role, row.name, row.digest) for row in connection.execute(wanted))

    def known_files(self) -> Mapping[str, tuple[int | None, int | None]]:
        """Absolute path of every picture -> size in bytes and time of its file, where it was found and not drawn."""
        wanted = select(_I.c.path, _I.c.size, _I.c.mtime_ns)
        with self._database.reading() as connection:
            return {str(self._root / row.path): (row.size, row.mtime_ns) for row in connection.execute(wanted)}

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
    number = inserted(connection, insert(_I).values(**row))
    indexed = text("INSERT INTO image_search (rowid, infotext) VALUES (:id, :infotext)")
    connection.execute(indexed, {"id": number, "infotext": row["infotext"] + PADDING})
    return number


def _adopt(connection: Connection, run_id: int, found: Found, place: str) -> None:
    written_at = datetime.fromtimestamp(found.mtime_ns / 1e9, UTC).isoformat()
    fields = ("sha256", "width", "height", "infotext", "size", "mtime_ns")
    row = {name: getattr(found, name) for name in fields}
    number = _record(connection, {**row, "run_id": run_id, "path": place, "made_at": written_at})
    rows = [{"image_id": number, "role": role, "name": name, "digest": digest} for role, name, digest in found.models]
    if rows:
        connection.execute(insert(tables.image_model).prefix_with("OR IGNORE"), rows)


def _matching(connection: Connection, words: str, limit: int | None) -> Select[int]:
    """Selects the numbers of pictures whose infotext holds every word, newest first."""
    found = [holds(connection, IMAGES, word) for word in words.split()]
    return select(IMAGES.c.rowid).where(*found).order_by(IMAGES.c.rowid.desc()).limit(limit)


def _asked(connection: Connection, query: PictureQuery) -> Select[int]:
    """Selects numbers; by the time that pictures were made, since found ones are older than their numbers say."""
    wanted = select(_I.c.id).order_by(_I.c.made_at.desc(), _I.c.id.desc()).limit(query.limit)
    if query.text.split():
        wanted = wanted.where(_I.c.id.in_(_matching(connection, query.text, None).order_by(None)))
    if query.model is not None:
        wanted = wanted.where(_with_model(connection, query.model))
    if query.since is not None:
        wanted = wanted.where(_I.c.made_at >= query.since)
    if query.until is not None:
        wanted = wanted.where(_I.c.made_at < query.until + _AFTER)
    if query.rating is not None:
        wanted = wanted.where(_I.c.rating >= query.rating)
    return wanted


def _with_model(connection: Connection, artifact_id: int) -> ColumnElement[bool]:
    """A picture was drawn with the artifact by a run of ours, or names a digest of it."""
    runs = select(_USED.run_id).where(_USED.artifact_id == artifact_id, _USED.direction == "in")
    digest = tables.digest.c
    known = connection.scalars(select(digest.value).where(digest.artifact_id == artifact_id))
    begun = {value[:length] for value in known for length in range(_SHORTEST, min(len(value), _LONGEST) + 1)}
    naming = select(_NAMED.image_id).where(selected(_NAMED.digest, sorted(begun)))
    return or_(_I.c.run_id.in_(runs), _I.c.id.in_(naming))


def _pictures(connection: Connection, wanted: Select[int], root: Path) -> tuple[Image, ...]:
    """Those whose numbers `wanted` selects, in its order."""
    numbers = [*connection.scalars(wanted)]
    rows: dict[int, Row[Any]] = {
        row.id: row for row in connection.execute(select(_I).where(selected(_I.c.id, numbers)))
    }
    return tuple(image(rows[number], root) for number in numbers if number in rows)


def uses_of(connection: Connection, artifact_id: int, newest: int, root: Path) -> Uses:
    """What was drawn and trained with the artifact, here or by whoever made the pictures that were found."""
    runs = select(_USED.run_id).where(_USED.artifact_id == artifact_id, _USED.direction == "in")
    fits = _with_model(connection, artifact_id)
    drawn = select(func.count()).select_from(_I).where(fits)
    latest = select(_I.c.id).where(fits).order_by(_I.c.id.desc()).limit(newest)
    made = select(_USED.artifact_id).where(_USED.direction == "out", _USED.run_id.in_(runs))
    trained = connection.scalars(made.order_by(_USED.run_id.desc()))
    return Uses(connection.scalar(drawn) or 0, _pictures(connection, latest, root), tuple(dict.fromkeys(trained)))


def image(row: Row[Any], root: Path) -> Image:
    made_at = datetime.fromisoformat(row.made_at)
    return Image(
        row.id, row.run_id, read_place(root, row.path), row.sha256, row.width, row.height, row.infotext, made_at,
        row.rating,
    )  # fmt: skip
