"""Between table rows and nouns. JSON that we store carries a schema number; readers take all older ones."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, Insert, Row, Select, Table, func, select, text

from modelhub.catalog import tables
from modelhub.catalog.places import read_place
from modelhub.errors import ModelHubError
from modelhub.kinds import Artifact, Evidence, Facts, Kind, Location, Source

__all__ = ["artifacts", "facts_json", "inserted", "now", "reindex", "selected", "stored_facts", "versioned"]

_SCHEMA = 1


def now() -> str:
    """This moment as the catalog writes it: sorts as text."""
    return datetime.now(UTC).isoformat()


def versioned(content: Mapping[str, Any]) -> str:
    """JSON with a schema number: the content's own if it has one."""
    return json.dumps({"schema": _SCHEMA, **content})


def facts_json(facts: Facts) -> str:
    content = {field.name: getattr(facts, field.name) for field in fields(facts)}
    evidence = {name: {"source": why.source, "detail": why.detail} for name, why in facts.evidence.items()}
    return versioned({**content, "evidence": evidence})


def artifacts(connection: Connection, wanted: Select[int], root: Path) -> tuple[Artifact, ...]:
    """The artifacts whose IDs `wanted` selects, in its order, in as many queries as there are tables."""
    ids = list(connection.scalars(wanted))
    rows = {
        row.id: row for row in connection.execute(select(tables.artifact).where(selected(tables.artifact.c.id, ids)))
    }
    parts = {table.name: _by_artifact(connection, table, ids) for table in (tables.location, *_WORDS)}
    return tuple(_artifact(rows[one], {name: found[one] for name, found in parts.items()}, root) for one in ids)


def inserted(connection: Connection, row: Insert) -> int:
    """Write one row; returns its number."""
    key = connection.execute(row).inserted_primary_key
    return int(key[0]) if key else 0


def selected(column: ColumnElement[Any], ids: Iterable[int]) -> ColumnElement[bool]:
    """`column` is one of `ids`, however many: SQLite bounds the number of parameters, not JSON's length."""
    each = select(text("value")).select_from(func.json_each(json.dumps(list(ids))))
    return column.in_(each)


def reindex(connection: Connection, artifact_id: int) -> None:
    """Bring the search index up to what the tables say of one artifact."""
    connection.execute(text("DELETE FROM search WHERE rowid = :id"), {"id": artifact_id})
    connection.execute(
        text(
            """
            INSERT INTO search (rowid, name, aliases, tags, words, note, family, kind)
            SELECT id, name || '  ',
                   (SELECT group_concat(alias, ' ') || '  ' FROM alias WHERE artifact_id = id),
                   (SELECT group_concat(tag, ' ') || '  ' FROM tag WHERE artifact_id = id),
                   (SELECT group_concat(word, ' ') || '  ' FROM word WHERE artifact_id = id),
                   note || '  ', family || '  ', kind || '  '
            FROM artifact WHERE id = :id AND removed_at IS NULL
            """
        ),
        {"id": artifact_id},
    )


_WORDS = (tables.digest, tables.alias, tables.tag, tables.word)


def _by_artifact(connection: Connection, table: Table, ids: Sequence[int]) -> Mapping[int, list[Row[Any]]]:
    found: dict[int, list[Row[Any]]] = defaultdict(list)
    query = select(table).where(selected(table.c.artifact_id, ids)).order_by(*table.primary_key.columns)
    for row in connection.execute(query):
        found[row.artifact_id].append(row)
    return found


def _artifact(row: Row[Any], parts: Mapping[str, list[Row[Any]]], root: Path) -> Artifact:
    return Artifact(
        id=row.id,
        name=row.name,
        facts=stored_facts(row.facts),
        locations=tuple(_location(at, root) for at in parts["location"]),
        digests={one.algorithm: one.value for one in parts["digest"]},
        aliases=tuple(one.alias for one in parts["alias"]),
        tags=tuple(one.tag for one in parts["tag"]),
        added_at=datetime.fromisoformat(row.added_at),
        trigger_words=tuple(one.word for one in parts["word"]),
        note=row.note,
        preview=read_place(root, row.preview) if row.preview else None,
        weight=row.weight,
    )


def _location(row: Row[Any], root: Path) -> Location:
    return Location(
        path=read_place(root, row.path),
        size=row.size,
        mtime_ns=row.mtime_ns,
        state=row.state,
        file_key=row.file_key,
        origin=read_place(root, row.origin) if row.origin else None,
        verified_at=datetime.fromisoformat(row.verified_at) if row.verified_at else None,
    )


def stored_facts(stored: str) -> Facts:
    """What `facts_json` wrote."""
    content = json.loads(stored)
    schema = content.pop("schema")
    if schema > _SCHEMA:
        raise ModelHubError(
            f"the catalog holds facts of the newer schema {schema}", mend="pip install -U modelhub-suite"
        )
    evidence = {name: Evidence(Source(why["source"]), why["detail"]) for name, why in content.pop("evidence").items()}
    resolution = content.pop("resolution", None)
    return Facts(
        kind=Kind(content.pop("kind")),
        resolution=tuple(resolution) if resolution else None,
        conflicts=tuple(content.pop("conflicts")),
        evidence=evidence,
        **content,
    )
