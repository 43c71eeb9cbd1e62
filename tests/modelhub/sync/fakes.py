"""A hub of plain values."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from modelhub.errors import NotOffered
from modelhub.hubs import Account, HubRef, Listing, RemoteFile, Search
from modelhub.transfer import Located

__all__ = ["FakeHub"]


@dataclass
class FakeHub:
    """A hub that offers what it is given, or fails as it is told."""

    offers: Mapping[HubRef, tuple[Listing, ...]] = field(default_factory=dict)
    error: Exception | None = None
    name: str = "civitai"
    asked: int = 0
    """How often it was asked for the newest."""

    def listings(self, ref: HubRef) -> tuple[Listing, ...]:
        if self.error:
            raise self.error
        if ref not in self.offers:
            raise NotOffered(f"no {ref}")
        return self.offers[ref]

    def locate(self, listing: Listing, file: RemoteFile) -> Located:
        if self.error:
            raise self.error
        return Located(f"https://{self.name}.example/{file.key}")

    def search(self, query: Search) -> Iterator[Listing]:
        return iter(())

    def account(self) -> Account:
        return Account(self.name, "kip")

    def latest(self, refs: Sequence[HubRef]) -> Mapping[HubRef, tuple[Listing, ...]]:
        self.asked += 1
        if self.error:
            raise self.error
        return {ref: next((found for model, found in self.offers.items() if model.covers(ref)), ()) for ref in refs}

    def by_sha256(self, digests: Sequence[str]) -> Iterator[tuple[str, tuple[Listing, ...]]]:
        found = [one for each in self.offers.values() for one in each]
        known = {one for one in digests if any(one in each.files[0].digests.values() for each in found)}
        return ((one, tuple(found)) for one in sorted(known))
