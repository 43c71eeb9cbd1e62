"""Keeps the catalog up to what changes in folders of models, as it changes."""

import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from modelhub.catalog import Catalog
from modelhub.jobs import Cancel, drain
from modelhub.upkeep.scan import ScanReport, scan
from modelhub.workspace import CATALOG

__all__ = ["changed_paths", "watch", "watched_folders"]

_SETTLED_NS = 2_000_000_000
"""A file that was written to since is left until it rests."""
_DEBOUNCE_MS = 1_600
_TICK_MS = 1_000
_POLL_MS = 30_000
_POLLED = ("nfs", "cifs", "smb", "9p", "fuse", "afs", "glusterfs", "ceph", "lustre", "vboxsf")
"""File systems whose kernel does not tell what other machines do."""


def watched_folders(catalog: Catalog, roots: Sequence[Path] = ()) -> tuple[Path, ...]:
    """Those of `roots` (of all that are remembered, and the workspace's models) that are there."""
    wanted = roots or [*(root.path for root in catalog.files.roots()), catalog.workspace.models]
    return tuple(folder for folder in dict.fromkeys(wanted) if folder.is_dir())


def watch(catalog: Catalog, batches: Iterable[Collection[Path]]) -> Iterator[ScanReport]:
    """Scan the folders of what changed, batch by batch, and give the reports that have something to tell.

    A file that is still written to waits, and is looked at again with every later batch, be it an empty one. A file
    that cannot be taken is told of once.
    """
    pending, told = set[Path](), set[tuple[Path, str]]()
    for batch in batches:
        pending |= {_nearest_folder(path) for path in batch if _matters(path)}
        if folders := sorted(folder for folder in pending if folder.is_dir()):
            settled_ns = time.time_ns() - _SETTLED_NS
            report = drain(scan(catalog, folders, partial=True, settled_ns=settled_ns))
            pending = {path.parent for path in report.waiting}
            failed = {(one.path, one.error.message): one for one in report.failed}
            report = replace(report, failed=tuple(one for key, one in failed.items() if key not in told))
            told |= failed.keys()
            if report.differs:
                yield report


def changed_paths(folders: Collection[Path], *, cancel: Cancel | None = None) -> Iterator[Collection[Path]]:
    """What changes below `folders`, in batches, and an empty one every second while nothing does."""
    import watchfiles

    polled = any(_needs_polling(folder) for folder in folders)
    for changes in watchfiles.watch(
        *folders,
        watch_filter=None,
        debounce=_DEBOUNCE_MS,
        rust_timeout=_TICK_MS,
        yield_on_timeout=True,
        force_polling=polled or None,
        poll_delay_ms=_POLL_MS if polled else 300,
        ignore_permission_denied=True,
    ):
        if cancel:
            cancel.check()
        yield [Path(path) for _, path in changes]


def _nearest_folder(path: Path) -> Path:
    """The folder that a changed path lies in, or what is left of it."""
    return next(folder for folder in path.parents if folder.is_dir())


def _matters(path: Path) -> bool:
    return not path.name.startswith((".", CATALOG)) and path.suffix != ".part"


def _needs_polling(folder: Path) -> bool:
    import psutil

    mounts = {Path(mount.mountpoint): mount.fstype for mount in psutil.disk_partitions(all=True)}
    nearest = next((mounts[each] for each in (folder, *folder.parents) if each in mounts), "")
    return nearest.startswith(_POLLED)
