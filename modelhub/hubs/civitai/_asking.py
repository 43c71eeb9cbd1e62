"""The questions that name or bring many things at once: pages of models, models by number, versions by digest."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from modelhub.errors import NetworkError
from modelhub.families import known
from modelhub.hubs._address import HubRef
from modelhub.hubs._hub import Search
from modelhub.hubs.civitai._addresses import NAME
from modelhub.hubs.civitai._api import Api
from modelhub.hubs.civitai._files import TYPES
from modelhub.hubs.civitai._shapes import Json
from modelhub.words.civitai import inner, name_in, number_of, rows_in

__all__ = ["DIGESTS_AT_ONCE", "Query", "as_listed", "batches", "enums", "models", "owners", "pages", "pictures"]
__all__ += ["query_of", "versions"]

Query: TypeAlias = Mapping[str, str | Sequence[str]]
DIGESTS_AT_ONCE = 100
_IDS_AT_ONCE, _MODELS_AT_ONCE = 10_000, 100
"""What one question may name."""
_MAX_ROWS = 100_000
_MAX_EMPTY = 20
"""Pages in a row without a hit: the hub filters after it has cut its pages."""
_PICTURES = {"limit": "20", "nsfw": "Soft", "withMeta": "true"}
"""As many as may be looked through for a few prompts; no more than PG-13."""
_LISTED = {"types": "ModelType", "baseModels": "BaseModel"}
"""What a search names -> where the hub lists the names that it takes."""
_SORTS = {"downloads": "Most Downloaded", "newest": "Newest", "likes": "Most Liked"}


def query_of(search: Search) -> Query | None:
    """A search in the hub's words; None where it has none for what is wanted."""
    types = [name for name, kind in TYPES.items() if kind in search.kinds]
    family = known().get(search.family) if search.family else None
    bases = family.hub_names if family else ()
    if (search.kinds and not types) or (search.family and not bases):
        return None
    told: dict[str, str | Sequence[str]] = {
        "query": search.text,
        "types": types,
        "baseModels": bases,
        "sort": "" if search.text and search.sort == "relevance" else _SORTS.get(search.sort, _SORTS["downloads"]),
        "nsfw": "true" if search.nsfw else "false",
        "allowCommercialUse": "Image" if search.licence == "commercial" else "",
        "limit": str(min(max(search.limit, 1), _MODELS_AT_ONCE)),
    }
    return {name: one for name, one in told.items() if one}


def enums(api: Api) -> Json:
    """The names that the hub takes now; empty where it does not tell."""
    try:
        told = api.ask("enums")
    except NetworkError:
        return {}
    return told if isinstance(told, dict) else {}


def as_listed(query: Query, told: Json) -> Query | None:
    """Without the names that the hub has dropped, any of which it refuses; None where none is left.

    Names of which it lists nothing that we understand are sent as they are.
    """
    listed = {name: _texts(told.get(key)) for name, key in _LISTED.items() if name in query}
    kept = {name: tuple(one for one in query[name] if one in names) for name, names in listed.items() if names}
    return {**query, **kept} if all(kept.values()) else None


def pages(api: Api, query: Query) -> Iterator[Json]:
    """The models of all pages; the hub's own address of the next one may hold a token, so it is made anew."""
    cursor, empty = "", 0
    while empty < _MAX_EMPTY:
        content = api.ask("models", {**query, "cursor": cursor} if cursor else query)
        held: Json = content if isinstance(content, dict) else {}
        items = rows_in(held.get("items"), _MAX_ROWS)
        yield from items
        following = str(inner(held, "metadata").get("nextCursor") or "")
        if not following or following == cursor:
            return
        cursor, empty = following, 0 if items else empty + 1


def models(api: Api, numbers: Iterable[str]) -> Mapping[str, Json]:
    """Those of them that the hub names, whatever their audience, by number."""
    found: dict[str, Json] = {}
    for some in batches(tuple(numbers), _MODELS_AT_ONCE):
        asked = {"ids": ",".join(some), "limit": str(_MODELS_AT_ONCE), "nsfw": "true", "archived": "true"}
        found |= {str(one["id"]): one for one in pages(api, asked) if number_of(one.get("id"))}
    return found


def owners(api: Api, digests: Sequence[str]) -> Mapping[str, Sequence[HubRef]]:
    """The versions that have one of `digests`, by digest: numbers only, which is cheap."""
    found: list[tuple[str, int | None, int]] = []
    for some in batches(digests, _IDS_AT_ONCE):
        wanted = set(some)
        for row in rows_in(api.ask("model-versions/by-hash/ids", body=_upper(some)), _MAX_ROWS):
            digest, version = name_in(row.get("hash")).lower(), number_of(row.get("modelVersionId"))
            if digest in wanted and version:
                found.append((digest, number_of(row.get("modelId")), version))
    homeless = dict.fromkeys(digest for digest, model, _ in found if model is None)
    homes = {number: number_of(one.get("modelId")) for number, one in versions(api, homeless).items()}
    each: dict[str, dict[HubRef, None]] = defaultdict(dict)
    for digest, model, version in found:
        if home := model or homes.get(version):
            each[digest][HubRef(NAME, str(home), str(version))] = None
    return {digest: tuple(refs) for digest, refs in each.items()}


def versions(api: Api, digests: Iterable[str]) -> Mapping[int, Json]:
    """The versions that have one of `digests`, by number, as far as the hub shows them."""
    found: dict[int, Json] = {}
    for some in batches(tuple(digests), DIGESTS_AT_ONCE):
        each = rows_in(api.ask("model-versions/by-hash", body=_upper(some)), _MAX_ROWS)
        found |= {number: one for one in each if (number := number_of(one.get("id")))}
    return found


def pictures(api: Api, version: int) -> Sequence[Json]:
    """Some that were made with a version, by its author and others, the best liked first."""
    told = api.ask("images", {"modelVersionId": str(version), **_PICTURES})
    return rows_in(told.get("items")) if isinstance(told, dict) else ()


def _texts(value: object) -> frozenset[str]:
    return frozenset(one for one in value if isinstance(one, str)) if isinstance(value, list) else frozenset()


def _upper(digests: Sequence[str]) -> list[str]:
    """As the hub stores them."""
    return [one.upper() for one in digests]


def batches(each: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    return (each[first : first + size] for first in range(0, len(each), size))
