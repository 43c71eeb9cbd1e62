"""What a sync will do: manifest, lock, what hubs offer and what is held in; a list of steps out. Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from modelhub.errors import Conflict, ModelHubError, NameTaken, NotOffered
from modelhub.hubs import HubRef, Listing
from modelhub.pull import Choice, Offer, Wish, choose
from modelhub.sync.lock import Lock, Locked, content_sha256
from modelhub.sync.manifest import Entry, Manifest
from modelhub.sync.steps import Adopt, Blocked, Drop, Holding, Keep, Prune, Pull, Rename, Step, SyncPlan, Tag, Untag

__all__ = ["digest_of", "holding_of", "locks_of", "merged", "plan", "questions"]


def questions(manifest: Manifest, lock: Lock, held: Sequence[Holding]) -> Mapping[Entry, HubRef]:
    """What hubs must be asked: nothing for what is locked and here, the locked version for what is locked.

    What is held from there without a lock is asked for as it is held, so that a first lock fetches nothing anew.
    """
    asked: dict[Entry, HubRef] = {}
    locks = locks_of(manifest, lock)
    for entry in manifest.entries:
        if (locked := locks.get(entry)) is None:
            others = [one.ref for one in manifest.entries if one.ref != entry.ref and entry.ref.covers(one.ref)]
            asked[entry] = _held_source(entry, held, others) or entry.ref
        elif (found := holding_of(locked.listing, held)) is None or not found.is_present:
            asked[entry] = locked.ref
    return asked


def plan(
    manifest: Manifest,
    lock: Lock,
    offers: Mapping[Entry, Offer],
    held: Sequence[Holding],
    *,
    prune: bool = False,
    forbids: Callable[[Entry, Listing], ModelHubError | None] = lambda entry, listing: None,
) -> SyncPlan:
    """The steps from what is held to what the manifest says; `forbids` tells what a licence does not allow.

    Where the lock still answers an entry, what it says is brought, however much newer the hub's offer is.
    """
    locks = locks_of(manifest, lock)
    resolved = [_resolved(entry, locks.get(entry), offers.get(entry)) for entry in manifest.entries]
    resolved = [_allowed(one, forbids) for one in resolved]
    resolved = _once_each(resolved, locks)
    dropped = [one for one in lock if one not in locks.values()]
    pruned = list(_pruned(dropped, resolved, held)) if prune else []
    remaining = [one for one in held if one.id not in {each.id for each in pruned}]
    resolved = _named(resolved, remaining)
    steps: list[Step] = [*pruned, *(Drop(one) for one in dropped), *_renames(resolved, remaining)]
    for one in resolved:
        steps += [one] if isinstance(one, Blocked) else _steps(one, remaining, locks.get(one.entry))
    return SyncPlan(tuple(steps))


def locks_of(manifest: Manifest, lock: Lock) -> Mapping[Entry, Locked]:
    """What is locked for each entry: what was asked in its words, else what it covers and no other entry asked for."""
    found: dict[Entry, Locked] = {}
    for is_right in (lambda entry, one: one.asked == entry.ref, lambda entry, one: True):
        for entry in (one for one in manifest.entries if one not in found):
            spare = (one for one in lock if one not in found.values() and one.answers(entry) and is_right(entry, one))
            if locked := next(spare, None):
                found[entry] = locked
    return found


def merged(manifest: Manifest, lock: Lock, fresh: Mapping[Entry, Locked]) -> Lock:
    """The lock after a sync: `fresh` says what came and what is here; what did not come stays locked as it was."""
    found = {one.ref: one for one in fresh.values()}
    for entry, before in locks_of(manifest, lock).items():
        if entry not in fresh:
            found.setdefault(before.ref, before)
    return tuple(found.values())


def digest_of(listing: Listing) -> str | None:
    """What the catalog would call the bytes of a listing; None while the hub does not tell all of them."""
    files = {one.path: one.digests.get("sha256") for one in listing.files}
    return content_sha256(files, is_folder=listing.is_folder or len(files) > 1)


def holding_of(listing: Listing, held: Sequence[Holding]) -> Holding | None:
    """What is held with these bytes; or as this source, where bytes cannot be compared. Present ones first."""
    digest = digest_of(listing)
    same = [one for one in held if digest and one.sha256 == digest]
    unproved = [one for one in held if listing.ref in one.sources and None in (digest, one.sha256)]
    return min([*same, *unproved], key=lambda one: not one.is_present, default=None)


@dataclass(frozen=True, slots=True)
class _Target:
    """What one entry comes to."""

    entry: Entry
    listing: Listing
    offer: Offer


_Resolved = _Target | Blocked


def _held_source(entry: Entry, held: Sequence[Holding], others: Sequence[HubRef]) -> HubRef | None:
    """The address under which something is held that the entry means, when only one is; a choice decides the file.

    Not one that entries for `others`, parts of its own address, mean more exactly.
    """
    refs = {ref for one in held if one.is_present for ref in one.sources}
    found = {ref for ref in refs if entry.ref.covers(ref) and not any(one.covers(ref) for one in others)}
    if len(found) != 1:
        return None
    ref = found.pop()
    return ref if (entry.choice, entry.kind) == (Choice(), None) else replace(ref, file=entry.ref.file)


def _resolved(entry: Entry, locked: Locked | None, offer: Offer | None) -> _Resolved:
    offer = offer or Offer(Wish(entry.ref))
    if offer.error is not None:
        return Blocked(entry, offer.error)
    if locked:
        return _Target(entry, offer.listing or locked.listing, offer)
    if offer.listing is None:
        return Blocked(entry, NotOffered(f"{entry.ref} offers nothing", mend=f"modelhub show {entry.ref}"))
    return _of_kind(entry, offer)


def _of_kind(entry: Entry, offer: Offer) -> _Resolved:
    """The listing of the wanted kind, where a hub offers several things under one address."""
    offered = [one for one in (offer.listing, *offer.others) if one]
    fitting = [one for one in offered if entry.kind in (None, one.kind)] or [one for one in offered if one.kind is None]
    if not fitting:
        why = f"{entry.ref} is a {offered[0].kind}, not a {entry.kind}"
        return Blocked(entry, Conflict(why, mend="correct its kind in models.toml"))
    try:
        return _Target(entry, choose(fitting, entry.choice), offer)
    except NotOffered as error:
        return Blocked(entry, error)


def _allowed(one: _Resolved, forbids: Callable[[Entry, Listing], ModelHubError | None]) -> _Resolved:
    if isinstance(one, Blocked) or (error := forbids(one.entry, one.listing)) is None:
        return one
    return Blocked(one.entry, error)


def _once_each(resolved: Sequence[_Resolved], locks: Mapping[Entry, Locked]) -> list[_Resolved]:
    """Two entries for the same bytes would quarrel about names and tags: the one that is not locked is refused."""
    owners: dict[str | HubRef, Entry] = {}
    for one in sorted(resolved, key=lambda one: one.entry not in locks):
        if isinstance(one, _Target):
            owners.setdefault(digest_of(one.listing) or one.listing.ref, one.entry)
    return [_unless_twin(one, owners) for one in resolved]


def _unless_twin(one: _Resolved, owners: Mapping[str | HubRef, Entry]) -> _Resolved:
    if isinstance(one, Blocked):
        return one
    owner = owners[digest_of(one.listing) or one.listing.ref]
    if owner is one.entry:
        return one
    why = f"{one.entry.title} and {owner.title} are the same bytes"
    return Blocked(one.entry, Conflict(why, mend="delete one of the entries"))


def _pruned(dropped: Sequence[Locked], resolved: Sequence[_Resolved], held: Sequence[Holding]) -> Iterator[Prune]:
    targets = [one for one in resolved if isinstance(one, _Target)]
    wanted = {found.id for one in targets if (found := holding_of(one.listing, held))}
    for locked in dropped:
        found = holding_of(locked.listing, held)
        if found and found.id not in wanted and not any(isinstance(one, Blocked) for one in resolved):
            yield Prune(locked, found.id)


def _named(resolved: Sequence[_Resolved], held: Sequence[Holding]) -> list[_Resolved]:
    """With those refused whose name belongs to a model that keeps it; a refusal can make another one necessary."""
    found = list(resolved)
    while taken := _name_taken(found, held):
        found[found.index(taken[0])] = Blocked(taken[0].entry, taken[1])
    return found


def _name_taken(resolved: Sequence[_Resolved], held: Sequence[Holding]) -> tuple[_Target, ModelHubError] | None:
    owners = {one.name: one for one in held}
    leaving = {one.id for one in _wanted_renames(resolved, held)}
    for one in resolved:
        if isinstance(one, Blocked) or not one.entry.name or (owner := owners.get(one.entry.name)) is None:
            continue
        mine = holding_of(one.listing, held)
        is_settled = mine and (mine.id == owner.id or (mine.is_present and one.listing.ref in owner.sources))
        if owner.id not in leaving and not is_settled:
            why = f"the name {owner.name!r} is model {owner.id}'s, which is not {one.entry.ref}"
            return one, NameTaken(why, mend=f"modelhub rename {owner.id} OTHER-NAME")
    return None


def _wanted_renames(resolved: Sequence[_Resolved], held: Sequence[Holding]) -> list[Rename]:
    """Not what leaves its name to another one from the same address: a pickle, to what it was converted to."""
    owners = {one.name: one for one in held}
    found: list[tuple[Rename, HubRef | None]] = []
    for one in resolved:
        mine = holding_of(one.listing, held) if isinstance(one, _Target) else None
        if mine and one.entry.name and mine.name != one.entry.name and isinstance(one, _Target):
            found.append((Rename(mine.id, mine.name, one.entry.name), one.listing.ref if mine.is_present else None))
    while True:
        leaving = {rename.id for rename, _ in found}
        left = [
            (rename, ref)
            for rename, ref in found
            if (owner := owners.get(rename.name)) is None or owner.id in leaving or ref not in owner.sources
        ]
        if len(left) == len(found):
            return [rename for rename, _ in left]
        found = left


def _renames(resolved: Sequence[_Resolved], held: Sequence[Holding]) -> Iterator[Rename]:
    """In an order in which no name is taken: a ring of them is opened by a name that nobody has."""
    left = _wanted_renames(resolved, held)
    names = {one.name for one in held}
    while left:
        free = next((one for one in left if one.name not in names), None)
        if free is None:
            ring = left[0]
            free = replace(ring, name=_unused(f"{ring.was}-renamed", names))
            left.append(replace(ring, was=free.name))
            left.remove(ring)
        else:
            left.remove(free)
        names = names - {free.was} | {free.name}
        yield free


def _unused(name: str, names: set[str]) -> str:
    return next(each for number in range(len(names) + 1) if (each := f"{name}{number or ''}") not in names)


def _steps(one: _Target, held: Sequence[Holding], locked: Locked | None) -> Iterator[Step]:
    mine = holding_of(one.listing, held)
    if mine is None or not mine.is_present:
        yield Pull(one.entry, one.listing, replace(one.offer, listing=one.listing))
    elif one.listing.ref in mine.sources:
        yield Keep(one.entry, one.listing, mine.id)
    else:
        yield Adopt(one.entry, one.listing, mine.id)
    if mine:
        name = one.entry.name or mine.name
        if missing := sorted(set(one.entry.tags) - mine.tags):
            yield Tag(mine.id, name, tuple(missing))
        if stale := sorted((set(locked.tags if locked else ()) - set(one.entry.tags)) & mine.tags):
            yield Untag(mine.id, name, tuple(stale))
