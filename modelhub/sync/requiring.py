"""What must be so before anything is done: the licences, and with `--locked` the lock (pure)."""

from collections.abc import Callable, Sequence

from modelhub.errors import BrokenFile, LicenceForbids, ModelHubError
from modelhub.hubs import Listing
from modelhub.licences import Named, check
from modelhub.sync.lock import Lock
from modelhub.sync.manifest import Entry, Manifest
from modelhub.sync.steps import Holding

__all__ = ["altered", "differences", "forbidder"]


def forbidder(require: str) -> Callable[[Entry, Listing], ModelHubError | None]:
    """Tells what the licence of a listing does not allow of what is required; an empty text requires nothing."""

    def forbids(entry: Entry, listing: Listing) -> ModelHubError | None:
        try:
            if require:
                check(require, [Named(str(listing.ref), listing.licence)])
        except LicenceForbids as error:
            return error
        return None

    return forbids


def differences(manifest: Manifest, lock: Lock) -> tuple[str, ...]:
    """Where the lock does not say what the manifest asks, a sentence each."""
    unlocked = [one for one in manifest.entries if not any(each.is_like(one) for each in lock)]
    spare = [one for one in lock if not any(one.is_like(each) for each in manifest.entries)]
    return (
        *(f"{one.title} is not locked as models.toml says it" for one in unlocked),
        *(f"{one.name} is locked, and models.toml does not ask for it" for one in spare),
    )


def altered(lock: Lock, held: Sequence[Holding]) -> tuple[BrokenFile, ...]:
    """What is held as a locked source, but with other bytes than the locked ones, while those are nowhere here."""
    digests = {one.sha256 for one in held}
    return tuple(
        BrokenFile(mine.name, f"its sha256 is {mine.sha256}, and models.lock says {one.sha256}", mend="modelhub sync")
        for one in lock
        for mine in held
        if one.ref in mine.sources and mine.sha256 and mine.is_present and one.sha256 not in digests
    )
