"""Civitai's answers -> listings: any field may be missing, or have the form of another year (pure)."""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any

from modelhub.hubs._address import HubRef
from modelhub.hubs._listing import Gate, Listing
from modelhub.hubs.civitai import _files
from modelhub.hubs.civitai._addresses import NAME
from modelhub.hubs.civitai._gates import gate_of, when
from modelhub.hubs.civitai._pictures import previews
from modelhub.licences import UNKNOWN, Licence, from_civitai
from modelhub.words.civitai import Version, base_family, inner, name_in, number_of, read_version, rows_in
from modelhub.words.file_names import safe_name
from modelhub.words.strangers import number_in

__all__ = ["Json", "best_first", "listings", "newest_first", "versions_of"]

Json = Mapping[str, Any]
_MAX_VERSIONS = 1_000
_ADULT = 4 | 8 | 16 | 32
"""Of the bits that tell what pictures show: R, X, XXX, blocked."""
_PERMISSIONS = ("allowNoCredit", "allowCommercialUse", "allowDerivatives", "allowDifferentLicense")
_EARLIEST = datetime.min.replace(tzinfo=UTC)


def listings(model: Json, version: Json, *, site: str, now: datetime) -> tuple[Listing, ...]:
    """A version's models, best first; where the hub has no file of it any more, one listing without files.

    `model` may be no more than what the version tells of it.
    """
    told = read_version({**version, "model": {**inner(version, "model"), **model}})
    of_model = _files.TYPES.get(told.type)
    whole = _whole(model, version, told, site, now)
    files = _files.models_among(version.get("files"), of_model)
    if not files:
        return (_listing(whole, None, None, of_model),) if whole["gate"] is Gate.GONE else ()
    names = _distinct_names(files)
    return tuple(_listing(whole, file, name, of_model) for file, name in zip(files, names, strict=True))


def versions_of(model: Json) -> tuple[Json, ...]:
    """All that everybody may see."""
    each = rows_in(model.get("modelVersions"), _MAX_VERSIONS)
    return tuple(one for one in each if one.get("status", "Published") == "Published" and number_of(one.get("id")))


def newest_first(model: Json) -> tuple[Json, ...]:
    """Its versions by the day they were published: the hub's order is its author's taste."""
    return tuple(sorted(versions_of(model), key=_published, reverse=True))


def best_first(model: Json, now: datetime) -> tuple[Json, ...]:
    """The newest that everybody may have, then older ones, then those behind a gate."""
    return tuple(
        sorted(newest_first(model), key=lambda one: gate_of(model, one, now)[0] not in (Gate.OPEN, Gate.TOKEN))
    )


def _published(version: Json) -> tuple[datetime, int]:
    told = when(version.get("publishedAt")) or when(version.get("createdAt"))
    return told or _EARLIEST, number_of(version.get("id")) or 0


def _whole(model: Json, version: Json, told: Version, site: str, now: datetime) -> dict[str, Any]:
    """What all files of a version have in common."""
    gate, gate_said = gate_of({**inner(version, "model"), **model}, version, now)
    return {
        "ref": HubRef(NAME, str(told.model or ""), str(told.id) if told.id else None),
        "title": told.title,
        "version": told.name,
        "base": told.base,
        "family": base_family(told.base) if told.base else None,
        "creator": told.creator,
        "description": told.description,
        "tags": told.tags,
        "trigger_words": told.words,
        "licence": _licence(model, told, site),
        "gate": gate,
        "gate_said": gate_said,
        "previews": tuple(previews(version.get("images"))),
        "nsfw": _is_nsfw(model, version, told),
        "downloads": _downloads(version, model),
        "published_at": when(told.published_at),
        "page": _page(told, site),
    }


def _listing(whole: Mapping[str, Any], file: Json | None, name: str | None, of_model: Any) -> Listing:
    if file is None or name is None:
        return Listing(name=safe_name(whole["title"] or str(whole["ref"])), kind=of_model, **whole)
    ref: HubRef = whole["ref"]
    return Listing(
        **{**whole, "ref": HubRef(NAME, ref.model, ref.version, str(file["id"]))},
        name=name,
        files=(_files.remote_file(file),),
        kind=_files.kind_of(file, of_model),
        precision=_files.precision_of(file),
        format=_files.format_of(file),
        pruned=_files.is_pruned(file),
    )


def _distinct_names(files: list[Json]) -> list[str]:
    """One version may have two files of one name, in two precisions: all but the best get their number too."""
    seen: Counter[str] = Counter()
    names = []
    for file in files:
        stem = PurePosixPath(safe_name(name_in(file.get("name")))).stem
        names.append(f"{stem}-{file['id']}" if seen[stem.casefold()] else stem)
        seen[stem.casefold()] += 1
    return names


def _licence(model: Json, told: Version, site: str) -> Licence:
    if not (told.base or any(name in model for name in _PERMISSIONS)):
        return UNKNOWN
    return from_civitai(
        allow_no_credit=model.get("allowNoCredit"),
        allow_commercial_use=model.get("allowCommercialUse"),
        allow_derivatives=model.get("allowDerivatives"),
        allow_different_licence=model.get("allowDifferentLicense"),
        base=told.base,
        url=f"{site}/models/license/{told.id}" if told.id else None,
    )


def _is_nsfw(model: Json, version: Json, told: Version) -> bool:
    level = number_of(version.get("nsfwLevel")) or number_of(model.get("nsfwLevel")) or 0
    return told.flags.get("nsfw", bool(level & _ADULT))


def _downloads(version: Json, model: Json) -> int | None:
    told = (number_in(inner(one, "stats").get("downloadCount")) for one in (version, model))
    return next((int(one) for one in told if one is not None and one >= 0), None)


def _page(told: Version, site: str) -> str:
    if told.model is None:
        return f"{site}/model-versions/{told.id}" if told.id else ""
    return f"{site}/models/{told.model}" + (f"?modelVersionId={told.id}" if told.id else "")
