"""Words in the search indexes, whose terms are three characters long: longer words are phrases of terms, and
shorter ones stand wherever a term begins with them, since every indexed text ends in padding.
"""

from sqlalchemy import ColumnElement, Connection, String, TableClause, column, false, func, or_, select, table

__all__ = ["IMAGES", "MODELS", "PADDING", "holds"]

PADDING = "  "
"""Ends every indexed text, so that even its last character begins a term."""
_TEXTS = ("name", "aliases", "tags", "words", "note", "family", "kind")
MODELS = table("search", column("rowid"), *(column(name, String) for name in _TEXTS))
IMAGES = table("image_search", column("rowid"), column("infotext", String))

_TERM = 3
_LAST = "\U0010ffff"
_MANY = 500
"""Terms; a short word that begins more of them is so common that looking through the newest texts finds it sooner."""


def holds(connection: Connection, index: TableClause, word: str) -> ColumnElement[bool]:
    """The condition that `word` stands anywhere in a row of `index`, in any case."""
    word = word.lower()
    terms = [word] if len(word) >= _TERM else _terms(connection, index, word)
    if not terms:
        return false()
    if len(terms) > _MANY:
        return or_(*(func.instr(func.lower(text), word) > 0 for text in index.c if text.name != "rowid"))
    return column(index.name).op("MATCH")(" OR ".join(map(_phrase, terms)))


def _terms(connection: Connection, index: TableClause, word: str) -> list[str]:
    term = column("term", String)
    begun = select(term).select_from(table(f"{index.name}_terms")).where(term >= word, term < word + _LAST)
    return list(connection.scalars(begun.limit(_MANY + 1)))


def _phrase(term: str) -> str:
    return '"{}"'.format(term.replace('"', '""'))
