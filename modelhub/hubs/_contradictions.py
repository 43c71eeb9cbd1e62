"""What a hub says of a model, held against what its file shows (pure)."""

from collections.abc import Iterator

from modelhub.hubs._listing import Listing
from modelhub.kinds import Facts, Kind

__all__ = ["contradictions"]


def contradictions(facts: Facts, listing: Listing) -> Iterator[str]:
    """A clause each; the file is believed, and what nobody knows contradicts nothing."""
    if listing.kind and facts.kind not in (listing.kind, Kind.UNKNOWN):
        yield f"the hub calls it a {listing.kind}, by its tensors it is a {facts.kind}"
    if listing.family and facts.family not in (listing.family, None):
        yield f"the hub says it is for {listing.base or listing.family}, it is for {facts.family}"
