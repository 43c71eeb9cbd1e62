"""`Pinned`: a hub of which we want just the bytes that a lock names, from wherever they can be had."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial

from modelhub.errors import BrokenFile, ModelHubError, NetworkError, NotOffered
from modelhub.hubs import Account, Gate, Hub, HubRef, Listing, RemoteFile, Search
from modelhub.network import Network
from modelhub.sync.lock import Lock, Locked
from modelhub.sync.mirrors import Mirror, Sought, mirror
from modelhub.transfer import Located

__all__ = ["Pinned", "pinned_hubs", "places_for"]


def pinned_hubs(
    connect: Callable[[str], Hub], *, lock: Lock, mirrors: Mapping[str, Sequence[str]], network: Network
) -> Callable[[str], Hub]:
    """Every hub that `connect` gives, as `Pinned` to a lock and with the mirrors of a manifest."""
    opened = cache(partial(mirror, connect=connect, network=network))

    def asked(place: str, sought: Sought) -> Located | None:
        return opened(place)(sought)  # opened as late as this: most are never needed

    def places(ref: HubRef) -> Sequence[Mirror]:
        return [partial(asked, place) for place in places_for(ref, mirrors)]

    return cache(lambda name: Pinned(name, connect(name), lock, places))


def places_for(ref: HubRef, mirrors: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """The mirrors of an address: those named for the longest beginning of it first, then those for all (``*``)."""
    fitting = [prefix for prefix in mirrors if prefix in ("*", ref.hub) or str(ref).startswith(prefix)]
    ordered = sorted(fitting, key=lambda prefix: (prefix == "*", -len(prefix)))
    return tuple(dict.fromkeys(place for prefix in ordered for place in mirrors[prefix]))


@dataclass(slots=True)
class Pinned:
    """A `Hub` that asks another one; where that fails, or no longer has the bytes, it asks the mirrors."""

    name: str
    hub: Hub
    lock: Lock
    mirrors: Callable[[HubRef], Sequence[Mirror]]
    _tries: Counter[str] = field(default_factory=Counter)
    """How often each file was asked for: every attempt begins at another place."""
    _absent: set[HubRef] = field(default_factory=set)
    """What the hub itself could not list: mirrors come first."""

    def listings(self, ref: HubRef) -> tuple[Listing, ...]:
        """What is locked as the lock says it; raises `BrokenFile` when the hub gives other bytes."""
        locked = next((one for one in self.lock if one.ref == ref), None)
        if locked is None:
            return self.hub.listings(ref)
        has_mirrors = bool(self.mirrors(ref))
        try:
            found = _pinned(locked, self.hub.listings(ref))
        except (NetworkError, NotOffered):
            if not has_mirrors:
                raise
            self._absent.add(ref)
            return (locked.listing,)
        return (replace(found, gate=Gate.OPEN) if has_mirrors else found,)

    def locate(self, listing: Listing, file: RemoteFile) -> Located:
        """Where the hub has the bytes, or the first mirror that has them."""
        places = self._places(listing, file)
        first = self._tries[f"{listing.ref} {file.path}"]
        self._tries[f"{listing.ref} {file.path}"] += 1
        failures: dict[int, ModelHubError] = {}
        for number in ((first + turn) % len(places) for turn in range(len(places))):
            try:
                if located := places[number]():
                    return located
            except ModelHubError as error:
                failures[number] = error
        own = len(places) - 1 if listing.ref in self._absent else 0
        raise failures.get(own) or NotOffered(f"nobody has {file.path} of {listing.ref}")

    def _places(self, listing: Listing, file: RemoteFile) -> list[Callable[[], Located | None]]:
        sha256 = file.digests.get("sha256")
        mirrors = self.mirrors(listing.ref) if sha256 else ()
        locked = next((one for one in self.lock if one.ref == listing.ref), None)
        sought = Sought(locked.listing if locked else listing, file, sha256 or "", listing.name)
        copies = [partial(one, sought) for one in mirrors]
        own = partial(self.hub.locate, listing, file)
        return [*copies, own] if listing.ref in self._absent else [own, *copies]

    def search(self, query: Search) -> Iterator[Listing]:
        return self.hub.search(query)

    def account(self) -> Account:
        return self.hub.account()

    def latest(self, refs: Sequence[HubRef]) -> Mapping[HubRef, tuple[Listing, ...]]:
        return self.hub.latest(refs)

    def by_sha256(self, digests: Sequence[str]) -> Iterator[tuple[str, tuple[Listing, ...]]]:
        return self.hub.by_sha256(digests)


def _pinned(locked: Locked, listings: Sequence[Listing]) -> Listing:
    """The hub's listing of what is locked, to the byte; raises `NotOffered`, `BrokenFile`."""
    paths = {one.path for one in locked.files}
    same = [one for one in listings if paths <= {file.path for file in one.files}]
    found = next((one for one in same if one.ref == locked.ref), next(iter(same), None))
    if found is None:
        raise NotOffered(f"{locked.ref} has no {locked.files[0].path} now", mend=f"modelhub update {locked.name}")
    told = {file.path: file for file in found.files}
    files = []
    for one in locked.files:
        sha256 = told[one.path].digests.get("sha256", one.sha256)
        if sha256 != one.sha256:
            why = f"{one.path} is locked with the sha256 {one.sha256}, and the hub now gives {sha256}"
            raise BrokenFile(str(locked.ref), why)
        digests = {**told[one.path].digests, "sha256": one.sha256}
        files.append(replace(told[one.path], size=one.size, digests=digests))
    return replace(found, ref=locked.ref, files=tuple(files), is_folder=locked.is_folder)
