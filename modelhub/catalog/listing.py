"""Which artifacts a query means: newest first, by words, kind, family and tag."""

from sqlalchemy import ColumnElement, Select, String, column, func, or_, select, table

from modelhub.catalog import tables
from modelhub.catalog.nouns import Query

__all__ = ["counted", "matching"]

_TRIGRAM = 3
_TEXTS = ("name", "aliases", "tags", "words", "note", "family", "kind")
_SEARCH = table("search", column("rowid"), *(column(name, String) for name in _TEXTS))


def matching(query: Query) -> Select[int]:
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
        found = found.where(artifact.id.in_(select(_SEARCH.c.rowid).where(_holds(word))))
    return found.limit(query.limit)


def counted(query: Query) -> Select[int]:
    """Selects how many there are, whatever the limit."""
    return select(func.count()).select_from(matching(query).limit(None).order_by(None).subquery())


def _holds(word: str) -> ColumnElement[bool]:
    """`word` stands anywhere in the texts, in any case; the index knows nothing shorter than three characters."""
    if len(word) >= _TRIGRAM:
        phrase = word.replace('"', '""')
        return column("search").op("MATCH")(f'"{phrase}"')
    texts = (_SEARCH.c[name] for name in _TEXTS)
    return or_(*(text.icontains(word, autoescape=True) for text in texts))
