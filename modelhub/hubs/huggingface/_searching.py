"""Looking for models at the hub."""

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

from modelhub.hubs._hub import Search
from modelhub.hubs._listing import Listing
from modelhub.hubs.huggingface._addresses import is_repository
from modelhub.hubs.huggingface._reading import hit
from modelhub.hubs.huggingface._words import BASE_TAGS, KIND_TAGS, is_about_pictures
from modelhub.kinds import Kind
from modelhub.licences import Answer

if TYPE_CHECKING:
    from huggingface_hub import HfApi

__all__ = ["found"]

_SORTS = {"downloads": "downloads", "newest": "last_modified", "likes": "likes"}
_TOLD: list[Any] = ["author", "cardData", "config", "downloads", "gated", "lastModified", "pipeline_tag", "tags"]
_TOLD += ["usedStorage"]
_PAGE = 100
_LOOKED_AT = 10
"""Times as many as are wanted: what the hub cannot filter by is left out here."""


def found(api: "HfApi", query: Search) -> list[Listing]:
    """The best hits; of several kinds, by turns."""
    kinds = query.kinds or (None,)
    each = [_of_kind(api, query, kind) for kind in kinds]
    turns = islice(_by_turns(each), query.limit)
    merged = {one.ref: one for turn in turns for one in turn}
    return list(merged.values())[: query.limit]


def _by_turns(each: list[Iterator[Listing]]) -> Iterator[list[Listing]]:
    """The first of each, then the second of each, until none has any more."""
    while turn := [one for hits in each if (one := next(hits, None)) is not None]:
        yield turn


def _of_kind(api: "HfApi", query: Search, kind: Kind | None) -> Iterator[Listing]:
    hits = api.list_models(
        search=query.text or None,
        filter=_filters(query, kind),
        sort=_SORTS.get(query.sort),  # type: ignore[arg-type]
        expand=_TOLD,
        limit=min(query.limit * _LOOKED_AT, _PAGE * _LOOKED_AT),
    )
    for info in (one for one in hits if is_repository(one.id)):
        listing = hit(info, api.endpoint)
        is_of_kind = kind is None or listing.kind in (kind, None)
        if is_of_kind and is_about_pictures(info.pipeline_tag) and _fits(listing, query):
            yield listing


def _filters(query: Search, kind: Kind | None) -> list[str]:
    """Tags that a repository must have; the hub knows no kind and no family otherwise."""
    of_kind = next((tag for tag, named in KIND_TAGS.items() if named is kind), "diffusers" if not query.text else "")
    return [tag for tag in (of_kind, BASE_TAGS.get(query.family or "", "")) if tag]


def _fits(listing: Listing, query: Search) -> bool:
    if listing.nsfw and not query.nsfw:
        return False
    if query.family and listing.family not in (query.family, None):
        return False
    return query.licence != "commercial" or listing.licence.sell_images is Answer.YES
