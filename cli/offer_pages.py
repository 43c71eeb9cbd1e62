"""A page on a model that we do not hold: all that its hub says of it before a byte of it is fetched."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from cli.offers import base_text, gate_text, licence_lines, listing_size, scan_text
from cli.render import jsonable, plain, section, size_text
from modelhub.errors import ModelHubError
from modelhub.hubs import Access, Gate, Listing, RemoteFile, connect, parse
from modelhub.kinds import Facts
from modelhub.pull import peek

__all__ = ["OfferPage", "offer_json", "offer_page", "offer_text"]

_ABOUT_CHARACTERS = 600
_SHOWN_FILES = 12


@dataclass(frozen=True, slots=True)
class OfferPage:
    """What is known of a model at a hub."""

    listing: Listing
    others: tuple[Listing, ...] = ()
    """What else its version offers."""
    versions: tuple[Listing, ...] = ()
    """The best file of each other version, newest first."""
    facts: Facts | None = None
    """By its header, where that could be read from afar."""


def offer_page(ref: str, access: Access) -> OfferPage:
    """What the hub says of `ref`, and its header, as far as they can be had."""
    asked = parse(ref)
    hub = connect(asked.hub, access)
    best, *others = hub.listings(asked)
    page = OfferPage(best, tuple(others))
    with suppress(ModelHubError):  # what follows is a favour: the file may need a token
        page = replace(page, facts=peek(best, hub=hub, network=access.network))
    if asked.version is None and asked.file is None:
        with suppress(ModelHubError):
            newest = {one.version: one for one in reversed(hub.latest([asked]).get(asked, ()))}
            page = replace(page, versions=tuple(newest[one] for one in reversed(newest) if one != best.version))
    return page


def offer_json(page: OfferPage) -> dict[str, Any]:
    """Without the addresses of previews' storages."""
    return {
        "held": False,
        **_listing_json(page.listing),
        "others": [_listing_json(one) for one in page.others],
        "versions": [{"ref": str(one.ref), "version": one.version, "base": one.base} for one in page.versions],
        "identified": page.facts,
    }


def offer_text(page: OfferPage) -> str:
    return "\n".join(_lines(page))


def _listing_json(listing: Listing) -> dict[str, Any]:
    return {**jsonable(listing), "ref": str(listing.ref), "size": listing.size, "scan": listing.scan}


def _lines(page: OfferPage) -> Iterator[str]:
    listing = page.listing
    yield plain(" ".join(part for part in (listing.title or listing.name, listing.version) if part))
    yield plain(_headline(listing))
    if listing.page:
        yield plain(listing.page)
    yield f"not held: modelhub pull {listing.ref}"
    yield from section("files", list(_files(listing)))
    yield from section("by its header", _identified(page.facts))
    yield from section("trigger words", listing.trigger_words)
    yield from section("examples", listing.examples)
    yield from section("licence", licence_lines(listing.licence))
    yield from section("needs", [_needs(listing)] if listing.gate is not Gate.OPEN else [])
    yield from section("tags", [", ".join(listing.tags)] if listing.tags else [])
    yield from section("about", [_shortened(listing.description)] if listing.description else [])
    yield from section("also offered", [_other(one) for one in page.others[:_SHOWN_FILES]])
    yield from section("other versions", [_version(one) for one in page.versions[:_SHOWN_FILES]])


def _headline(listing: Listing) -> str:
    kind = (listing.kind or "model").replace("_", " ")
    told = [
        f"{kind} for {base_text(listing)}" if listing.base or listing.family else kind,
        listing_size(listing),
        f"by {listing.creator}" if listing.creator else "",
        f"{listing.downloads:,} downloads" if listing.downloads is not None else "",
        f"published {listing.published_at:%Y-%m-%d}" if listing.published_at else "",
    ]
    return ", ".join(part for part in told if part and part != "?")


def _files(listing: Listing) -> Iterator[str]:
    for file in listing.files[:_SHOWN_FILES]:
        yield ", ".join(part for part in _file(listing, file) if part)
    if len(listing.files) > _SHOWN_FILES:
        yield f"and {len(listing.files) - _SHOWN_FILES} more"


def _file(listing: Listing, file: RemoteFile) -> Iterator[str]:
    size = file.size or file.about
    yield f"{file.path}  {'' if file.size else '~'}{size_text(size)}" if size else file.path
    if not listing.is_folder:
        yield " ".join(part for part in (listing.precision, listing.format, _pruned(listing)) if part)
        yield f"sha256 {file.digests['sha256']}" if "sha256" in file.digests else "no sha256 told"
    yield f"{scan_text(file.scan)} ({file.scan_said})" if file.scan_said else scan_text(file.scan)


def _pruned(listing: Listing) -> str:
    return {True: "pruned", False: "full", None: ""}[listing.pruned]


def _identified(facts: Facts | None) -> list[str]:
    if facts is None:
        return []
    told = [str(facts.kind), facts.family or "of an unknown family", facts.variant or "", facts.format or ""]
    told += [f"rank {facts.rank}"] if facts.rank else []
    return [", ".join(part for part in (*told, facts.precision or "") if part), *facts.conflicts]


def _needs(listing: Listing) -> str:
    return ", ".join(part for part in (gate_text(listing), listing.gate_said) if part)


def _other(listing: Listing) -> str:
    told = (listing.precision, listing.format, _pruned(listing), listing_size(listing))
    return f"{listing.ref}  {listing.name}  {' '.join(part for part in told if part)}"


def _version(listing: Listing) -> str:
    when = f"{listing.published_at:%Y-%m-%d}" if listing.published_at else ""
    return "  ".join(part for part in (str(listing.ref), listing.version, listing.base, when) if part)


def _shortened(text: str) -> str:
    return text if len(text) <= _ABOUT_CHARACTERS else f"{text[:_ABOUT_CHARACTERS].rstrip()}..."
