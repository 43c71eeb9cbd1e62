"""Which artifacts a query means: newest first, by words, kind, family and tag; and where its words stand in each."""

import re
from collections.abc import Iterator

from sqlalchemy import ColumnElement, Connection, Select, func, or_, select

from modelhub.catalog import tables
from modelhub.catalog.fulltext import MODELS, holds
from modelhub.catalog.nouns import Query
from modelhub.kinds import Artifact

__all__ = ["counted", "held_with_digest", "matching", "places_of", "with_digest"]

_DIGEST = re.compile(r"[0-9a-f]{8,64}", re.IGNORECASE)
_AFTER_HEX = "g"


def matching(connection: Connection, query: Query) -> Select[int]:
    """Selects IDs, highest first."""
    artifact, tag = tables.artifact.c, tables.tag.c
    found = select(artifact.id).where(artifact.removed_at.is_(None)).order_by(artifact.id.desc())
    if query.kinds:
        found = found.where(artifact.kind.in_(query.kinds))
    if query.family is not None:
        found = found.where(artifact.family == query.family)
    if query.tag is not None:
        found = found.where(artifact.id.in_(select(tag.artifact_id).where(tag.tag == query.tag)))
    for word in query.text.split():
        found = found.where(_found_by(connection, word))
    return found.limit(query.limit)


def counted(connection: Connection, query: Query) -> Select[int]:
    """Selects how many there are, whatever the limit."""
    return select(func.count()).select_from(matching(connection, query).limit(None).order_by(None).subquery())


def with_digest(prefix: str) -> Select[int]:
    """Selects the IDs of what has a digest beginning so: a range, which an index serves, as a pattern is not."""
    digest, begun = tables.digest.c, prefix.lower()
    return select(digest.artifact_id).where(digest.value >= begun, digest.value < begun + _AFTER_HEX)


def held_with_digest(prefix: str) -> Select[int]:
    """Of those only what was not removed, lowest ID first."""
    held = tables.artifact.c
    return select(held.id).where(held.id.in_(with_digest(prefix)), held.removed_at.is_(None)).order_by(held.id)


def places_of(artifact: Artifact, words: str) -> tuple[str, ...]:
    """In which of an artifact's texts the words stand, e.g. ``name`` and ``trigger words``."""
    wanted = [word.lower() for word in words.split()]
    held = [
        name for name, texts in _texts_of(artifact) if any(word in text.lower() for word in wanted for text in texts)
    ]
    begun = tuple(word for word in wanted if _DIGEST.fullmatch(word))
    return (*held, *(["digest"] if any(value.startswith(begun) for value in artifact.digests.values()) else []))


def _texts_of(artifact: Artifact) -> Iterator[tuple[str, tuple[str, ...]]]:
    yield "name", (artifact.name,)
    yield "aliases", artifact.aliases
    yield "tags", artifact.tags
    yield "trigger words", artifact.trigger_words
    yield "note", (artifact.note,)
    yield "family", (artifact.facts.family or "",)
    yield "kind", (artifact.facts.kind,)


def _found_by(connection: Connection, word: str) -> ColumnElement[bool]:
    """`word` stands anywhere in the texts, in any case, or begins a digest."""
    artifact_id = tables.artifact.c.id
    in_texts = artifact_id.in_(select(MODELS.c.rowid).where(holds(connection, MODELS, word)))
    return or_(in_texts, artifact_id.in_(with_digest(word))) if _DIGEST.fullmatch(word) else in_texts
