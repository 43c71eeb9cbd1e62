"""A catalog, a lock and hubs as plain values, on which a plan can be carried out without any disk or network."""

from dataclasses import dataclass, field, replace
from datetime import date

from modelhub.errors import NotOffered
from modelhub.hubs import HubRef, Listing, RemoteFile
from modelhub.kinds import Kind
from modelhub.pull import Offer, Wish
from modelhub.sync.lock import Lock, Locked, LockedFile, locked_from
from modelhub.sync.manifest import Entry, Manifest
from modelhub.sync.planning import locks_of, merged, plan, questions
from modelhub.sync.steps import Adopt, Holding, Keep, Prune, Pull, Rename, Step, SyncPlan, Tag, Untag

__all__ = ["World", "digest", "listing"]

_DAY = date(2026, 11, 22)


def digest(number: int) -> str:
    return f"{number:064x}"


def listing(model: int, version: int, content: int, *, kind: Kind | None = Kind.LORA) -> Listing:
    """Version `version` of model `model`, whose bytes are numbered too."""
    file = RemoteFile(f"m{model}.safetensors", f"{version}", size=1 + content, digests={"sha256": digest(content)})
    ref = HubRef("civitai", str(model), str(version), f"{version}0")
    return Listing(ref, f"m{model}", (file,), kind=kind)


@dataclass(frozen=True)
class World:
    """What there is."""

    offered: tuple[Listing, ...] = ()
    """Newest version last."""
    held: tuple[Holding, ...] = ()
    lock: Lock = ()
    fetched: tuple[str, ...] = field(default=())
    """Digests, in the order in which they came."""

    def plan(self, manifest: Manifest, *, prune: bool = False) -> SyncPlan:
        asked = questions(manifest, self.lock, self.held)
        return plan(manifest, self.lock, {each: self.offer(ref) for each, ref in asked.items()}, self.held, prune=prune)

    def offer(self, ref: HubRef) -> Offer:
        found = [one for one in self.offered if ref.covers(one.ref)]
        if not found:
            return self.remembered(ref) or Offer(Wish(ref), error=NotOffered(f"{ref} is not there"))
        return Offer(Wish(ref), found[-1], tuple(found[:-1]))

    def remembered(self, ref: HubRef) -> Offer | None:
        """What is held of a source that no hub offers."""
        held = next((one for one in self.held if ref in one.sources and one.sha256), None)
        if held is None:
            return None
        file = RemoteFile("k.safetensors", "", digests={"sha256": held.sha256 or ""})
        return Offer(Wish(ref), Listing(ref, "k", (file,)))

    def after(self, planned: SyncPlan, manifest: Manifest) -> "World":
        """The world when the plan was carried out; a step that cannot be, such as a name that is taken, fails."""
        world = self
        for step in planned.steps:
            world = _after(world, step)
            assert len({one.name for one in world.held}) == len(world.held), f"{step} gives a name twice"
        locks = locks_of(manifest, world.lock)
        here = (*planned.pulls, *planned.settled)
        fresh = {one.entry: world.locked(one.entry, locks.get(one.entry), one.listing) for one in here}
        return replace(world, lock=merged(manifest, world.lock, fresh))

    def locked(self, entry: Entry, before: Locked | None, found: Listing) -> Locked:
        if before and before.ref == found.ref:
            return replace(before, name=entry.name or before.name, asked=entry.ref, tags=entry.tags)
        files = [LockedFile(one.path, one.digests["sha256"], one.size or 0) for one in found.files]
        name = next(one.name for one in self.held if one.sha256 == files[0].sha256)
        return locked_from(entry, found, files, name=name, kind=found.kind, today=_DAY)

    def holding(self, entry: Entry, manifest: Manifest) -> Holding:
        """What the lock says that the entry came to."""
        locked = locks_of(manifest, self.lock)[entry]
        return next(one for one in self.held if one.sha256 == locked.sha256 and one.is_present)


def _after(world: World, step: Step) -> World:
    match step:
        case Prune():
            return replace(world, held=tuple(one for one in world.held if one.id != step.id))
        case Rename():
            return _changed(world, step.id, lambda one: replace(one, name=step.name))
        case Tag():
            return _changed(world, step.id, lambda one: replace(one, tags=one.tags | set(step.tags)))
        case Untag():
            return _changed(world, step.id, lambda one: replace(one, tags=one.tags - set(step.tags)))
        case Adopt():
            return _changed(world, step.id, lambda one: replace(one, sources=one.sources | {step.listing.ref}))
        case Pull():
            return _pulled(world, step)
        case Keep():
            assert any(one.id == step.id and one.is_present for one in world.held)
    return world


def _changed(world: World, artifact_id: int, change) -> World:
    assert any(one.id == artifact_id for one in world.held)
    return replace(world, held=tuple(change(one) if one.id == artifact_id else one for one in world.held))


def _pulled(world: World, step: Pull) -> World:
    """As a pull does: the bytes of a lost file find their artifact again, others get an ID and a free name."""
    sha256 = step.listing.files[0].digests["sha256"]
    assert not any(one.sha256 == sha256 and one.is_present for one in world.held), "it was here"
    world = replace(world, fetched=(*world.fetched, sha256))
    sources, tags = frozenset({step.listing.ref}), frozenset(step.entry.tags)
    if lost := next((one for one in world.held if one.sha256 == sha256), None):
        name = step.entry.name or lost.name
        found = replace(lost, is_present=True, sources=lost.sources | sources, tags=lost.tags | tags, name=name)
        return _changed(world, lost.id, lambda one: found)
    number = max((one.id for one in world.held), default=0) + 1
    held = Holding(number, step.entry.name or f"fresh-{number}", tags, sha256, sources)
    return replace(world, held=(*world.held, held))
