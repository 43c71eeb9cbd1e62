"""A listing as the catalog keeps it beside an artifact: plain JSON, in the words that sidecars are kept in."""

from collections.abc import Mapping
from typing import Any

from modelhub.hubs._listing import Listing
from modelhub.licences import to_json

__all__ = ["said"]


def said(listing: Listing) -> Mapping[str, Any]:
    """What a hub says of a model; what it does not say is left out."""
    only = listing.files[0] if len(listing.files) == 1 and not listing.is_folder else None
    each = {
        "heard": "hub",
        "name": listing.title,
        "version": listing.version,
        "type": str(listing.kind or ""),
        "base_model": listing.base,
        "creator": listing.creator,
        "published_at": listing.published_at.isoformat() if listing.published_at else "",
        "trained_words": list(listing.trigger_words),
        "tags": list(listing.tags),
        "description": listing.description,
        "file": only.path if only else "",
        "claimed_sha256": only.digests.get("sha256", "") if only else "",
        "nsfw": listing.nsfw,
        "licence": to_json(listing.licence),
        "gate": str(listing.gate),
        "gate_said": listing.gate_said,
        "scan": str(listing.scan),
        "page": listing.page,
    }
    return {name: one for name, one in each.items() if one not in ("", [], {})}
