"""Empties the trash: what was removed long enough ago goes for good."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from modelhub.catalog import Catalog, Trashed
from modelhub.jobs import Done, Job, Progress

__all__ = ["due", "empty"]


def due(held: Sequence[Trashed], *, older_than: timedelta | None, now: datetime) -> tuple[Trashed, ...]:
    """What was removed longer ago than that; everything without a limit."""
    return tuple(one for one in held if older_than is None or now - one.removed_at > older_than)


def empty(catalog: Catalog, things: Sequence[Trashed]) -> Job[tuple[Trashed, ...]]:
    """Delete their files for good, one model after another; what was not reached stays in the trash."""
    for number, thing in enumerate(things, start=1):
        catalog.trash.discard(thing)
        yield Progress("trash", number, len(things), "files")
    yield Done(tuple(things))
