"""Carries out a plan: every model is finished as soon as its files are there, and what fails stops no other."""

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from modelhub.catalog import Catalog
from modelhub.errors import Interrupted, ModelHubError
from modelhub.headers import WEIGHT_SUFFIXES
from modelhub.hubs import Hub, Listing, RemoteFile, said
from modelhub.jobs import Cancel, Done, Event, Job, Notice, Progress
from modelhub.network import Network
from modelhub.pull._holdings import holdings
from modelhub.pull._incoming import discard, incoming, locked, moved
from modelhub.pull._nouns import Fetch, Keep, Pulled, PullPlan, PullReport, Refuse, Wish
from modelhub.pull._planning import plan as planned
from modelhub.pull._settling import arrived_as, move_to_its_place, settle
from modelhub.transfer import Failed, Pace, Received, Wanted, fetch_all
from modelhub.workspace import disk_error

__all__ = ["pull"]

_PATIENCE = 0.5
"""Seconds between two looks at a model that another process is bringing."""


def pull(
    plan: PullPlan,
    *,
    catalog: Catalog,
    hubs: Callable[[str], Hub],
    network: Network,
    pace: Pace | None = None,
    cancel: Cancel | None = None,
    nsfw: bool = False,
) -> Job[PullReport]:
    """Fetch what is to be fetched, register it, and tell what came of each wish.

    Killed or stopped at any moment, the same again goes on: no byte that lies here is fetched twice. Previews that
    are not for everybody come with `nsfw` only. Raises `Interrupted`.
    """
    crew = _Crew(catalog, hubs, network, pace or Pace(), cancel, nsfw)
    tally, fetches = _Tally(), list[Fetch]()
    for step in plan.steps:
        if isinstance(step, Refuse):
            tally.failed.append((step.offer.wish, step.error))
        elif isinstance(step, Fetch) or _is_unfinished(crew, step):
            fetches.append(Fetch(step.offer, step.listing))
        else:
            tally.kept.append(_keep(crew, step))
    if fetches:
        with _recorded(catalog, fetches, tally) as run_id:
            yield from _fetched(crew, fetches, tally, run_id)
    turn = {str(one.listing.ref): number for number, one in enumerate(fetches)}
    pulled = sorted(tally.pulled, key=lambda one: turn[str(one.listing.ref)])
    yield Done(PullReport(tuple(pulled), tuple(tally.kept), tuple(tally.failed)))


@dataclass(frozen=True, slots=True)
class _Crew:
    """What everything below works with."""

    catalog: Catalog
    hubs: Callable[[str], Hub]
    network: Network
    pace: Pace
    cancel: Cancel | None
    nsfw: bool


@dataclass(slots=True)
class _Tally:
    """What came of it so far."""

    pulled: list[Pulled] = field(default_factory=list)
    kept: list[Pulled] = field(default_factory=list)
    failed: list[tuple[Wish, ModelHubError]] = field(default_factory=list)


@dataclass(slots=True)
class _Parcel:
    """One listing on its way."""

    step: Fetch
    folder: Path
    keys: ExitStack
    """Holds the lock."""
    received: dict[str, Received] = field(default_factory=dict)
    error: ModelHubError | None = None

    @property
    def listing(self) -> Listing:
        return self.step.listing

    @property
    def is_complete(self) -> bool:
        return len(self.received) == len(self.listing.files)


def _is_unfinished(crew: _Crew, step: Keep) -> bool:
    """Whether it lies at its place, and the pull that brought it was killed before all was written down."""
    return moved(incoming(crew.catalog.workspace, step.listing)) is not None


def _keep(crew: _Crew, step: Keep) -> Pulled:
    """What is here gets the words of the hub, and those of the wish."""
    wish, listing, catalog = step.offer.wish, step.listing, crew.catalog
    catalog.sources.note(step.artifact_id, listing.ref, said(listing), listing.trigger_words)
    if wish.tags:
        catalog.tag(step.artifact_id, *wish.tags)
    discard(incoming(catalog.workspace, listing))
    return Pulled(wish, listing, catalog.artifact(step.artifact_id))


@contextmanager
def _recorded(catalog: Catalog, fetches: Sequence[Fetch], tally: _Tally) -> Iterator[int]:
    """A run in the catalog, so that each model knows what brought it."""
    run_id = catalog.begin_run("pull", {"refs": [str(one.listing.ref) for one in fetches]})
    try:
        yield run_id
    except BaseException as error:
        catalog.finish_run(run_id, state="interrupted", error=str(error) or "it was stopped")
        raise
    catalog.finish_run(run_id, state="done" if tally.pulled or not tally.failed else "failed")


def _fetched(crew: _Crew, fetches: Sequence[Fetch], tally: _Tally, run_id: int) -> Iterator[Event[PullReport]]:
    """First what nobody else is bringing, all at once; then the others, each when its turn has come."""
    parcels, busy = [], []
    with ExitStack() as all_keys:
        for step in fetches:
            keys = all_keys.enter_context(ExitStack())
            folder = incoming(crew.catalog.workspace, step.listing)
            if keys.enter_context(locked(folder, wait=0)):
                parcels.append(_Parcel(step, folder, keys))
            else:
                busy.append(step)
        yield from _brought(crew, parcels, tally, run_id)
    for step in busy:
        yield from _awaited(crew, step, tally, run_id)


def _awaited(crew: _Crew, step: Fetch, tally: _Tally, run_id: int) -> Iterator[Event[PullReport]]:
    folder = incoming(crew.catalog.workspace, step.listing)
    with ExitStack() as keys:
        wait = 0.0
        while not keys.enter_context(locked(folder, wait=wait)):
            if crew.cancel:
                crew.cancel.check()
            if not wait:
                yield Notice(f"{step.listing.ref}: another process is bringing it; waiting")
            wait = _PATIENCE
        yield from _brought(crew, [_Parcel(step, folder, keys)], tally, run_id)


def _brought(crew: _Crew, parcels: Sequence[_Parcel], tally: _Tally, run_id: int) -> Iterator[Event[PullReport]]:
    absent = list(_absent(crew, parcels, tally))
    there = [one for one in absent if moved(one.folder)]
    for parcel in there:
        yield from _finished(crew, parcel, tally, run_id)
    coming = [(one, file) for one in absent if one not in there for file in one.listing.files]
    wanted = {each.target: (each, one, file.path) for one, file in coming for each in [_wanted(crew, one, file)]}
    each = [one for one, _, _ in wanted.values()]
    for event in fetch_all(each, network=crew.network, pace=crew.pace, cancel=crew.cancel):
        if isinstance(event, Progress | Notice):
            yield event
            continue
        _, parcel, path = wanted[event.wanted.target]
        if isinstance(event, Received):
            parcel.received[path] = event
            if parcel.is_complete:
                yield from _finished(crew, parcel, tally, run_id)
        elif parcel.error is None:
            parcel.error = _not_interrupted(event)
            tally.failed.append((parcel.step.offer.wish, parcel.error))


def _absent(crew: _Crew, parcels: Sequence[_Parcel], tally: _Tally) -> Iterator[_Parcel]:
    """Those that no other process has brought since the plan was made: nobody else can, now that they are locked."""
    held = holdings(crew.catalog, [one.step.offer for one in parcels])
    for parcel in parcels:
        (step,) = planned([parcel.step.offer], held=held).steps
        if isinstance(step, Keep) and not moved(parcel.folder):
            tally.kept.append(_keep(crew, step))
            parcel.keys.close()
        else:
            yield parcel


def _not_interrupted(event: Failed) -> ModelHubError:
    if isinstance(event.error, Interrupted):
        raise event.error
    return event.error


def _wanted(crew: _Crew, parcel: _Parcel, file: RemoteFile) -> Wanted:
    listing = parcel.listing
    sha256 = file.digests.get("sha256") or parcel.step.offer.wish.sha256.get(file.path)
    return Wanted(
        key=f"sha256:{sha256}" if sha256 else f"{listing.ref.hub}:{file.key}",
        target=arrived_as(parcel.folder, listing, file.path),
        locate=partial(crew.hubs(listing.ref.hub).locate, listing, file),
        size=file.size,
        sha256=sha256,
        name=f"{listing.name}/{file.path}" if listing.is_folder else file.path,
        weights=file.path.lower().endswith(WEIGHT_SUFFIXES),
    )


def _finished(crew: _Crew, parcel: _Parcel, tally: _Tally, run_id: int) -> Iterator[Event[PullReport]]:
    """From files to an artifact; whatever is wrong with it stops no other."""
    wish = parcel.step.offer.wish
    try:
        pulled = yield from _settled(crew, parcel, run_id)
    except Interrupted:
        raise
    except ModelHubError as error:
        tally.failed.append((wish, error))
    except OSError as error:
        known = disk_error(error, parcel.folder)
        tally.failed.append((wish, known if isinstance(known, ModelHubError) else ModelHubError(str(error))))
    else:
        tally.pulled.append(pulled)
    parcel.keys.close()


def _settled(crew: _Crew, parcel: _Parcel, run_id: int) -> Generator[Notice, None, Pulled]:
    sha256 = {path: one.sha256 for path, one in parcel.received.items()}
    wish, listing, catalog = parcel.step.offer.wish, parcel.listing, crew.catalog
    move = moved(parcel.folder) or move_to_its_place(parcel.folder, listing, sha256, catalog.workspace)
    artifact = yield from settle(
        parcel.folder, move, wish, listing, catalog=catalog, run_id=run_id, network=crew.network, nsfw=crew.nsfw
    )
    fetched = sum(one.fetched for one in parcel.received.values())
    return Pulled(wish, listing, artifact, move.sha256, fetched)
