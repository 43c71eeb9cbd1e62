"""How what hubs offer and say is written for people: the same words in `pull`, `show` and `search`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from cli.render import shortened, size_text
from modelhub.hubs import Gate, Listing, Scan
from modelhub.licences import UNKNOWN, Answer, Licence, from_json

if TYPE_CHECKING:
    from modelhub.catalog import Heard

__all__ = ["base_text", "gate_text", "licence_lines", "licence_text", "licences_told", "listing_size"]
__all__ += ["scan_text", "source_text", "title_text"]

_SHOWN_CHARACTERS = 48
"""Of a title."""
_GATES = {
    Gate.OPEN: "",
    Gate.TOKEN: "token",
    Gate.APPROVAL: "approval",
    Gate.EARLY_ACCESS: "early access",
    Gate.NO_DOWNLOAD: "no download",
    Gate.GONE: "gone",
}
_SCANS = {
    Scan.SAFE: "the hub's scan found nothing",
    Scan.PENDING: "the hub has not scanned it yet",
    Scan.DANGER: "the hub's scan found it dangerous",
    Scan.UNKNOWN: "",
}
_SAID = {
    "sell_images": ("pictures may be sold", "pictures may not be sold"),
    "use_commercially": ("may be run as a service", "may not be run as a service"),
    "sell_model": ("may be sold", "may not be sold"),
    "merge": ("may be merged", "may not be merged"),
    "must_credit": ("its author must be named", "its author need not be named"),
}


def title_text(listing: Listing) -> str:
    """The model and its version."""
    told = " ".join(part for part in (listing.title or listing.name, listing.version) if part)
    return shortened(told, _SHOWN_CHARACTERS)


def listing_size(listing: Listing) -> str:
    """About how large, where the hub does not tell exactly."""
    if listing.size is None:
        return "?"
    exact = all(one.size is not None for one in listing.files) and bool(listing.files)
    return size_text(listing.size) if exact else f"~{size_text(listing.size)}"


def base_text(listing: Listing) -> str:
    return listing.base or listing.family or "?"


def licence_text(licence: Licence) -> str:
    """Its name, or whether its pictures may be sold."""
    return licence.name or {Answer.YES: "commercial", Answer.NO: "non-commercial"}.get(licence.sell_images, "?")


def licence_lines(licence: Licence) -> Sequence[str]:
    """What it allows and forbids, as far as that is known."""
    answers = ((getattr(licence, question), *said) for question, said in _SAID.items())
    told = [yes if answer is Answer.YES else no for answer, yes, no in answers if answer is not Answer.UNKNOWN]
    head = " ".join(part for part in (licence.name, licence.url or "") if part)
    return [line for line in (head, ", ".join(told)) if line] or ["nobody tells"]


def gate_text(listing: Listing) -> str:
    return _GATES[listing.gate]


def scan_text(scan: Scan) -> str:
    return _SCANS[scan]


def licences_told(sources: "Sequence[Heard]") -> list[str]:
    """What hubs said of a model's licence; all that is known of it, and why, `modelhub licence` tells."""
    told = dict.fromkeys(from_json(one.said["licence"]) for one in sources if one.said.get("licence"))
    return [line for one in told if one != UNKNOWN for line in licence_lines(one)]


def source_text(one: "Heard") -> str:
    """An address at a hub, and what was said there."""
    named = " ".join(str(one.said[key]) for key in ("name", "version") if one.said.get(key))
    by = f"by {one.said['creator']}" if one.said.get("creator") else ""
    told = ", ".join(part for part in (named, by, str(one.said.get("base_model", ""))) if part)
    seen = f"seen {one.seen_at:%Y-%m-%d}"
    if one.gone_at is not None:
        seen = f"deleted at the hub since {one.gone_at:%Y-%m-%d}; this is what it said last, on {one.seen_at:%Y-%m-%d}"
    return f"{one.ref}  {told}  ({seen})"
