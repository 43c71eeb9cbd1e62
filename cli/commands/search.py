"""`modelhub search WORDS...`: models, or pictures by what drew them, or what a hub offers."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import OfFamily, OfKinds, WithTag
from cli.render import jsonable, shortened, table
from cli.session import Session
from modelhub.errors import BadValue
from modelhub.kinds import Kind

if TYPE_CHECKING:
    from modelhub.catalog import Catalog, Hit, Image, Query
    from modelhub.hubs import HubRef, Listing, Search

_SHOWN_CHARACTERS = 60
"""Of a picture's prompt or a model's trigger words."""


class Sort(StrEnum):
    """Orders that hubs can list in."""

    DOWNLOADS = "downloads"
    NEWEST = "newest"
    LIKES = "likes"
    RELEVANCE = "relevance"


def command(
    session: Session,
    words: Annotated[list[str], typer.Argument(metavar="WORDS...", help="All of them must be found; parts will do.")],
    kind: OfKinds = None,
    family: OfFamily = None,
    tag: WithTag = None,
    limit: Annotated[int, typer.Option(min=1, help="Show no more than so many.")] = 50,
    images: Annotated[bool, typer.Option("--images", help="Search pictures by their prompts and settings.")] = False,
    hub: Annotated[
        str | None, typer.Option(metavar="civitai|hf", help="Search this hub instead.", show_default=False)
    ] = None,
    sort: Annotated[Sort, typer.Option(help="At a hub: what comes first.")] = Sort.DOWNLOADS,
    nsfw: Annotated[bool, typer.Option("--nsfw", help="At a hub: what is not for everybody, too.")] = False,
    licence: Annotated[
        str | None, typer.Option(metavar="commercial", help="At a hub: whose pictures may be sold.", show_default=False)
    ] = None,
) -> None:
    """Find models by name, tags, trigger words, note, digest; or pictures by their infotext; or what a hub offers."""
    from modelhub.catalog import Query

    text = " ".join(words)
    if hub is not None:
        if images or tag:
            raise BadValue("--hub asks a hub, which knows neither our tags nor our pictures", mend="leave it out")
        _search_hub(session, hub, _asked(text, kind or [], family, sort, nsfw=nsfw, licence=licence, limit=limit))
        return
    with session.open_catalog() as catalog:
        if images:
            _show_images(session, catalog, text, limit)
        else:
            _show_models(session, catalog, Query(text, tuple(kind or ()), family, tag, limit))


def _asked(
    text: str, kinds: Sequence[Kind], family: str | None, sort: Sort, *, nsfw: bool, licence: str | None, limit: int
) -> "Search":
    from modelhub.families import known
    from modelhub.hubs import Search

    if licence not in (None, "commercial"):
        raise BadValue(f"hubs cannot be asked for the licence {licence!r}", mend="write --licence commercial")
    if family is not None and family not in known():
        raise BadValue(f"{family!r} is no family", mend=f"one of {', '.join(known())}")
    return Search(text, tuple(kinds), family, sort.value, nsfw=nsfw, licence=licence, limit=limit)


def _search_hub(session: Session, hub: str, query: "Search") -> None:
    from modelhub.hubs import connect

    with session.access() as access:
        found = list(connect(hub, access).search(query))
    held = _held(session, found)
    document = [{**jsonable(one), "ref": str(one.ref), "held": held.get(one.ref)} for one in found]
    session.output.show(document, text=lambda: _offers(found, held), ids=[one.ref for one in found])
    if len(found) == query.limit:
        session.output.hint(f"these are the first {query.limit}; --limit shows more")


def _held(session: Session, found: "Sequence[Listing]") -> "Mapping[HubRef, int]":
    """Catalog IDs of what is here already, in any version."""
    if not found or not session.workspace.catalog.is_file():
        return {}
    from modelhub.hubs import parse

    with session.open_catalog() as catalog:
        sources = catalog.sources.all(found[0].ref.hub)
    by_model = {parse(one.ref).model: artifact_id for artifact_id, each in sources.items() for one in each}
    return {one.ref: by_model[one.ref.model] for one in found if one.ref.model in by_model}


def _offers(found: "Sequence[Listing]", held: "Mapping[HubRef, int]") -> str:
    from cli.offers import base_text, gate_text, licence_text, listing_size, title_text

    if not found:
        return "nothing found"
    rows = [
        (
            one.ref,
            title_text(one),
            one.kind or "?",
            base_text(one),
            listing_size(one),
            "?" if one.downloads is None else f"{one.downloads:,}",
            licence_text(one.licence),
            gate_text(one),
            held.get(one.ref, ""),
        )
        for one in found
    ]
    return table(("REF", "TITLE", "KIND", "BASE", "SIZE", "DOWNLOADS", "LICENCE", "NEEDS", "HELD"), rows)


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
            shortened(", ".join(hit.artifact.trigger_words), _SHOWN_CHARACTERS),
            ", ".join(hit.places),
        )
        for hit in hits
    ]
    return table(("ID", "NAME", "KIND", "FAMILY", "TRIGGER WORDS", "FOUND IN"), rows)


def _images(found: "Sequence[Image]") -> str:
    if not found:
        return "nothing found"
    rows = [
        (one.path, one.run_id, f"{one.width}x{one.height}", shortened(one.infotext, _SHOWN_CHARACTERS)) for one in found
    ]
    return table(("PATH", "RUN", "SIZE", "PROMPT"), rows)
