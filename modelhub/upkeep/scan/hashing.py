"""Computes the digests that the catalog lacks, several files at once; each is kept as soon as its file is done."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from modelhub.catalog import Catalog
from modelhub.digests import Hashed, hash_files, usual
from modelhub.errors import ModelHubError
from modelhub.jobs import Cancel, Done, Job
from modelhub.kinds import Kind

__all__ = ["HashReport", "hash_missing"]


@dataclass(frozen=True, slots=True)
class HashReport:
    """What `hash_missing` did."""

    hashed: int
    failed: tuple[tuple[Path, ModelHubError], ...] = ()


def hash_missing(
    catalog: Catalog,
    *,
    among: Collection[Path] | None = None,
    workers: int | None = None,
    cancel: Cancel | None = None,
) -> Job[HashReport]:
    """Give every model that is present its sha256, AutoV1 and AutoV2, and LoRAs and other small kinds their AutoV3.

    A digest of a file that changes meanwhile is dropped. What was done stays when this is stopped. With `among`, only
    the files that are named there.
    """
    unhashed = catalog.files.unhashed()
    lacking: Mapping[Path, Kind] = {path: kind for path, kind in unhashed.items() if among is None or path in among}
    hashed, failed = 0, list[tuple[Path, ModelHubError]]()

    def algorithms(path: Path) -> Collection[str]:
        return usual(lacking[path])

    for event in hash_files(list(lacking), algorithms=algorithms, workers=workers, cancel=cancel):
        if not isinstance(event, Hashed):
            yield event
        elif event.error is not None:
            failed.append((event.path, event.error))
        elif event.seen is not None:
            hashed += catalog.files.note_digests(event.path, event.seen, event.digests)
    yield Done(HashReport(hashed, tuple(failed)))
