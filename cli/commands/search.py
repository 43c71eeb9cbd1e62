"""`modelhub search WORDS...`: models, or pictures by what drew them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from cli.render import table
from cli.session import Session
from modelhub.kinds import Kind

if TYPE_CHECKING:
    from modelhub.catalog import Catalog, Hit, Image, Query

_SHOWN_CHARACTERS = 60
"""Of a picture's prompt or a model's trigger words."""


def command(
    session: Session,
    words: Annotated[list[str], typer.Argument(metavar="WORDS...", help="All of them must be found; parts will do.")],
    kind: Annotated[
        list[Kind] | None, typer.Option(metavar="KIND", help="Of this kind, e.g. lora; may be repeated.")
    ] = None,
    family: Annotated[str | None, typer.Option(help="Of this family, e.g. sd1.", show_default=False)] = None,
    tag: Annotated[str | None, typer.Option(help="With this tag.", show_default=False)] = None,
    limit: Annotated[int, typer.Option(min=1, help="Show no more than so many.")] = 50,
    images: Annotated[bool, typer.Option("--images", help="Search pictures by their prompts and settings.")] = False,
) -> None:
    """Find models by name, tags, trigger words, note, digest; or pictures by their infotext. Newest first."""
    from modelhub.catalog import Query

    text = " ".join(words)
    with session.open_catalog() as catalog:
        if images:
            _show_images(session, catalog, text, limit)
        else:
            _show_models(session, catalog, Query(text, tuple(kind or ()), family, tag, limit))


def _show_models(session: Session, catalog: "Catalog", query: "Query") -> None:
    hits = catalog.search(query)
    session.output.show(hits, text=lambda: _models(hits), ids=[one.artifact.id for one in hits])
    _hint_at_more(session, len(hits), query.limit)


def _show_images(session: Session, catalog: "Catalog", words: str, limit: int) -> None:
    found = catalog.pictures.search(words, limit=limit)
    session.output.show(found, text=lambda: _images(found), ids=[one.path for one in found])
    _hint_at_more(session, len(found), limit)


def _hint_at_more(session: Session, shown: int, limit: int | None) -> None:
    if shown == limit:
        session.output.hint(f"these are the newest {limit}; --limit shows more")


def _models(hits: "Sequence[Hit]") -> str:
    if not hits:
        return "nothing found"
    rows = [
        (
            hit.artifact.id,
            hit.artifact.name,
            hit.artifact.facts.kind,
            hit.artifact.facts.family or "?",
            _shortened(", ".join(hit.artifact.trigger_words)),
            ", ".join(hit.places),
        )
        for hit in hits
    ]
    return table(("ID", "NAME", "KIND", "FAMILY", "TRIGGER WORDS", "FOUND IN"), rows)


def _images(found: "Sequence[Image]") -> str:
    if not found:
        return "nothing found"
    rows = [(one.path, one.run_id, f"{one.width}x{one.height}", _shortened(one.infotext)) for one in found]
    return table(("PATH", "RUN", "SIZE", "PROMPT"), rows)


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN_CHARACTERS else f"{line[: _SHOWN_CHARACTERS - 1]}…"
