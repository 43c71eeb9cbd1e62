"""Decides what a pull will do: from offers, and from what is held, and nothing else."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from modelhub.errors import AccessDenied, BrokenFile, Conflict, ModelHubError, NotOffered, OutOfResources, UnsafeFile
from modelhub.hubs import Gate, Listing, RemoteFile, Scan
from modelhub.kinds import Kind
from modelhub.licences import UNKNOWN, Named, check
from modelhub.pull._nouns import Fetch, Keep, Offer, PullPlan, Refuse

__all__ = ["Held", "Policy", "plan"]

_MARGIN = 1 << 26
"""Bytes that are left free: the catalog and the notes beside models need some too."""
_NEEDS_TOKEN = (Gate.TOKEN, Gate.APPROVAL, Gate.EARLY_ACCESS)
_WORN_BY_BASES = (Kind.LORA, Kind.VAE, Kind.CONTROLNET, Kind.EMBEDDING, Kind.HYPERNETWORK, Kind.ADAPTER)
"""Kinds that are of use with a base of their own family only."""


@dataclass(frozen=True, slots=True)
class Held:
    """What of the offers is here already, as catalog IDs."""

    by_sha256: Mapping[str, int] = field(default_factory=dict)
    by_ref: Mapping[str, int] = field(default_factory=dict)
    """The written form of an address -> what came from there."""
    claimed: Mapping[str, str] = field(default_factory=dict)
    """Such an address -> the sha256 that the hub told when it came."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What somebody insists on."""

    for_base: str | None = None
    """A family: what does not go with it is warned of."""
    require: str | None = None
    """What licences must allow, e.g. ``commercial``."""
    tokens: frozenset[str] | None = None
    """Hubs that we have a token for; None when nobody looked."""


def plan(
    offers: Sequence[Offer], *, held: Held | None = None, free: int | None = None, policy: Policy | None = None
) -> PullPlan:
    """What to fetch, what to keep, what to refuse and why; `free` is the room on the disk, in bytes."""
    held, policy = held or Held(), policy or Policy()
    steps: list[Fetch | Keep | Refuse] = []
    names: dict[str, Listing] = {}
    needed = _MARGIN
    for offer in offers:
        step = _step(offer, held, policy)
        if isinstance(step, Fetch):
            if any(isinstance(one, Fetch) and one.listing.ref == step.listing.ref for one in steps):
                continue
            step = _refused(step, _clash(step, names) or _full(step.listing, needed, free)) or step
        if isinstance(step, Fetch):
            needed += step.listing.size or 0
        steps.append(step)
    fetches = [one for one in steps if isinstance(one, Fetch)]
    return PullPlan(tuple(steps), tuple(said for one in fetches for said in _warnings(one.listing, policy)), free)


def _step(offer: Offer, held: Held, policy: Policy) -> Fetch | Keep | Refuse:
    listing = offer.listing
    if offer.error is not None or listing is None:
        return Refuse(offer, offer.error or NotOffered(f"{offer.wish.ref} offers nothing", mend="modelhub search"))
    if error := _other_bytes(offer, listing) or _unlicensed(listing, policy):
        return Refuse(offer, error)
    if (artifact_id := _holder(listing, held)) is not None:
        return Keep(offer, listing, artifact_id)
    error = _closed(listing, policy) or _dangerous(listing)
    return Refuse(offer, error) if error else Fetch(offer, listing)


def _refused(step: Fetch, error: ModelHubError | None) -> Refuse | None:
    return Refuse(step.offer, error) if error else None


# What is here already


def _holder(listing: Listing, held: Held) -> int | None:
    """By its bytes where the hub tells their digest, else by where it came from."""
    sha256 = _digest(listing.files[0]) if len(listing.files) == 1 and not listing.is_folder else None
    if sha256 and sha256 in held.by_sha256:
        return held.by_sha256[sha256]
    known = held.by_ref.get(str(listing.ref))
    changed = sha256 is not None and held.claimed.get(str(listing.ref), sha256) != sha256
    return None if changed else known


def _digest(file: RemoteFile) -> str | None:
    return file.digests.get("sha256")


# Why not


def _other_bytes(offer: Offer, listing: Listing) -> ModelHubError | None:
    """Whether the hub offers other bytes under this address than those that were asked for."""
    for file in listing.files:
        wanted, told = offer.wish.sha256.get(file.path), _digest(file)
        if wanted and told and wanted != told:
            return BrokenFile(listing.ref, f"{file.path} has the sha256 {told} at the hub now, not {wanted}")
    missing = sorted(offer.wish.sha256.keys() - {file.path for file in listing.files})
    return NotOffered(f"{listing.ref} has no {missing[0]} now") if missing else None


def _closed(listing: Listing, policy: Policy) -> ModelHubError | None:
    said, hub = f": {listing.gate_said}" if listing.gate_said else "", listing.ref.hub
    page = f"see {listing.page}" if listing.page else None
    if listing.gate is Gate.GONE:
        return NotOffered(f"{listing.ref} was taken down or archived: the hub has no file{said}", mend=page)
    if listing.gate is Gate.NO_DOWNLOAD:
        return AccessDenied(f"{listing.ref} may be used at the hub only, not downloaded{said}", mend=page)
    if listing.gate in _NEEDS_TOKEN and policy.tokens is not None and hub not in policy.tokens:
        return AccessDenied(f"{listing.ref} needs an account at {hub}{said}", mend=f"modelhub login {hub}")
    if not listing.files:
        return NotOffered(f"{listing.ref} has no file to download", mend=page)
    return None


def _dangerous(listing: Listing) -> ModelHubError | None:
    bad = next((file for file in listing.files if file.scan is Scan.DANGER), None)
    if bad is None:
        return None
    said = f" ({bad.scan_said})" if bad.scan_said else ""
    return UnsafeFile(f"{listing.ref}: the hub's own scan found {bad.path} dangerous{said}; it is not fetched")


def _unlicensed(listing: Listing, policy: Policy) -> ModelHubError | None:
    if policy.require is None:
        return None
    try:
        check(policy.require, [Named(str(listing.ref), listing.licence)])
    except ModelHubError as error:
        return error
    return None


def _clash(step: Fetch, names: dict[str, Listing]) -> ModelHubError | None:
    name = step.offer.wish.name
    first = names.setdefault(name, step.listing) if name else step.listing
    if first is step.listing:
        return None
    return Conflict(f"{first.ref} and {step.listing.ref} cannot both be called {name}", mend="pull them one by one")


def _full(listing: Listing, needed: int, free: int | None) -> ModelHubError | None:
    if free is None or needed + (listing.size or 0) <= free:
        return None
    return OutOfResources(
        f"{listing.ref} needs {listing.size or 0:,} bytes, of which the disk has {max(0, free - needed):,} to spare",
        mend="modelhub gc, or free space",
    )


# What to know before


def _warnings(listing: Listing, policy: Policy) -> Iterator[str]:
    name = listing.title or listing.name
    if listing.scan is Scan.PENDING:
        yield f"{name}: the hub has not scanned it yet"
    if listing.format == "pickle":
        yield f"{name}: its format can run code; it is put under quarantine until `modelhub convert` makes it safe"
    if listing.gate in (Gate.EARLY_ACCESS, Gate.APPROVAL):
        yield f"{name}: {_GATES[listing.gate]}{f' ({listing.gate_said})' if listing.gate_said else ''}"
    if not listing.is_folder and not all(map(_digest, listing.files)):
        yield f"{name}: the hub tells no sha256, so what comes cannot be verified"
    if listing.licence == UNKNOWN:
        yield f"{name}: nobody tells its licence"
    base = policy.for_base
    if base and listing.family and listing.family != base and (listing.kind in _WORN_BY_BASES or not listing.kind):
        yield f"{name}: it is for {listing.base or listing.family}, not for {base}"


_GATES = {
    Gate.EARLY_ACCESS: "early access: only those who paid can have it now",
    Gate.APPROVAL: "its authors let people in, on the hub's page",
}
