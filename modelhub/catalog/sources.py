"""`Sources`: which hubs offer what we hold, what each said of it, and what a hub has no longer."""

import json
from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Connection, Row, func, insert, select, update

from modelhub.catalog import tables
from modelhub.catalog.database import Database
from modelhub.catalog.nouns import Heard
from modelhub.catalog.rows import now, reindex, versioned
from modelhub.errors import ModelHubError

if TYPE_CHECKING:
    from modelhub.hubs import HubRef

__all__ = ["Sources", "address", "covered", "heard"]

_S, _ASKED = tables.source.c, tables.asked.c


class Sources:
    """The addresses of artifacts at hubs: `Catalog.sources`. Each method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def note(self, artifact_id: int, ref: "HubRef | str", said: Mapping[str, Any], words: Collection[str] = ()) -> None:
        """Write down that a hub offers this artifact as `ref`, what it says of it, and how a prompt calls it."""
        row = {"artifact_id": artifact_id, "ref": str(ref), "said": versioned(said), "seen_at": now(), "gone_at": None}
        with self._database.writing() as connection:
            connection.execute(insert(tables.source).prefix_with("OR REPLACE").values(**row))
            for word in words:
                kept = insert(tables.word).prefix_with("OR IGNORE")
                connection.execute(kept.values(artifact_id=artifact_id, word=word, source="hub"))
            reindex(connection, artifact_id)

    def gone(self, ref: "HubRef | str") -> None:
        """Write down that the hub offers `ref` no longer; what it said last stays, and the day when it was missed."""
        missed = update(tables.source).where(_S.ref == str(ref), _S.gone_at.is_(None))
        with self._database.writing() as connection:
            connection.execute(missed.values(gone_at=now()))

    def of(self, artifact_id: int) -> tuple[Heard, ...]:
        """What is known from hubs of one artifact, latest first."""
        with self._database.reading() as connection:
            return heard(connection, artifact_id)

    def all(self, hub: str) -> Mapping[int, tuple[Heard, ...]]:
        """Of every artifact that is held and has an address at `hub`, by catalog ID."""
        held = tables.source.join(tables.artifact, tables.artifact.c.id == _S.artifact_id)
        wanted = select(tables.source).select_from(held).where(tables.artifact.c.removed_at.is_(None), _at(hub))
        found: dict[int, list[Heard]] = defaultdict(list)
        with self._database.reading() as connection:
            for row in connection.execute(wanted.order_by(_S.artifact_id, _S.ref)):
                found[row.artifact_id].append(_heard(row))
        return {artifact_id: tuple(each) for artifact_id, each in found.items()}

    def asked(self, hub: str) -> Mapping[str, datetime]:
        """When `hub` was last asked what has these bytes, by sha256."""
        with self._database.reading() as connection:
            rows = connection.execute(select(_ASKED.sha256, _ASKED.asked_at).where(_ASKED.hub == hub))
            return {row.sha256: datetime.fromisoformat(row.asked_at) for row in rows}

    def note_asked(self, hub: str, digests: Collection[str]) -> None:
        """Write down that `hub` was asked for these just now."""
        rows = [{"sha256": one, "hub": hub, "asked_at": now()} for one in digests]
        if rows:
            with self._database.writing() as connection:
                connection.execute(insert(tables.asked).prefix_with("OR REPLACE"), rows)


def heard(connection: Connection, artifact_id: int) -> tuple[Heard, ...]:
    """What its sources say, latest first."""
    rows = connection.execute(select(tables.source).where(_S.artifact_id == artifact_id).order_by(_S.ref))
    return tuple(sorted(map(_heard, rows), key=lambda one: one.seen_at, reverse=True))


def covered(connection: Connection, text: str) -> frozenset[int]:
    """Catalog IDs of what is known under the hub address `text`, in any of its forms, or under a part of it."""
    asked = address(text)
    if asked is None:
        return frozenset(connection.scalars(select(_S.artifact_id).where(_S.ref == text)))
    alike = _at(asked.hub) & (func.instr(_S.ref, asked.model) > 0) & (func.instr(_S.ref, asked.version or "") > 0)
    rows = connection.execute(select(_S.artifact_id, _S.ref).where((_S.ref == str(asked)) | alike))
    return frozenset(row.artifact_id for row in rows if row.ref == str(asked) or _covers(asked, row.ref))


def address(text: str) -> "HubRef | None":
    """What `text` means at a hub; None when it means nothing there."""
    from modelhub.hubs import parse  # with all hubs, which most commands do not need

    try:
        return parse(text)
    except ModelHubError:
        return None


def _covers(asked: "HubRef", ref: str) -> bool:
    stored = address(ref)
    return stored is not None and asked.covers(stored)


def _at(hub: str) -> ColumnElement[bool]:
    return _S.ref.startswith(f"{hub}:", autoescape=True)


def _heard(row: Row[Any]) -> Heard:
    gone = datetime.fromisoformat(row.gone_at) if row.gone_at else None
    return Heard(row.ref, json.loads(row.said), datetime.fromisoformat(row.seen_at), gone)
