"""Finds files with equal bytes: several copies of one model, or models that were never hashed and turn out equal."""

import os
import stat
from collections import defaultdict
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelhub.catalog import Catalog
from modelhub.digests import Hashed, hash_files
from modelhub.errors import MissingFile
from modelhub.fingerprint import Fingerprint, file_key, sample
from modelhub.jobs import Cancel, Done, Event, Job, Notice
from modelhub.kinds import Artifact

__all__ = ["Copy", "Duplicate", "Duplicates", "find"]


@dataclass(frozen=True, slots=True)
class Copy:
    """One file, with all the names that the catalog knows it by."""

    artifact_id: int
    name: str
    """Of the artifact."""
    paths: tuple[Path, ...]
    device: int
    names: int
    """How many the file system counts; more than `paths` when the catalog does not know them all."""


@dataclass(frozen=True, slots=True)
class Duplicate:
    """Files with equal bytes; the first one is the one to keep."""

    sha256: str
    size: int
    """Bytes of each."""
    copies: tuple[Copy, ...]

    @property
    def kept(self) -> Mapping[int, Copy]:
        """The first file of every device: hard links cannot leave it."""
        return {one.device: one for one in reversed(self.copies)}

    @property
    def spare(self) -> tuple[Copy, ...]:
        """What hard links to a kept file can take the place of."""
        kept = self.kept
        return tuple(one for one in self.copies if kept[one.device] is not one)


@dataclass(frozen=True, slots=True)
class Duplicates:
    """All groups of equal files."""

    groups: tuple[Duplicate, ...]
    bytes: int
    """Held more than once."""
    linkable: int
    """Bytes of them that hard links would save; the rest lies on other disks."""


@dataclass(frozen=True, slots=True)
class _File:
    copy: Copy
    seen: Fingerprint
    sha256: str | None
    """As the catalog knows it, unless the file looks changed."""

    @property
    def path(self) -> Path:
        """The first of its names."""
        return self.copy.paths[0]


def find(catalog: Catalog, *, cancel: Cancel | None = None) -> Job[Duplicates]:
    """Compare everything that is held; what has the same size and the same ends, and no digest yet, is hashed."""
    files = [file for alike in _by_size(_files(catalog.list())).values() for file in _candidates(alike)]
    digests = yield from _digests(catalog, files, cancel)
    copies: dict[tuple[int, str], list[Copy]] = defaultdict(list)
    for file in files:
        if sha256 := file.sha256 or digests.get(file.path):
            copies[file.seen.size, sha256].append(file.copy)
    groups = [Duplicate(sha256, size, tuple(same)) for (size, sha256), same in copies.items() if len(same) > 1]
    groups.sort(key=lambda group: (-group.size * (len(group.copies) - 1), group.copies[0].artifact_id))
    twice = sum(group.size * (len(group.copies) - 1) for group in groups)
    linkable = sum(group.size * len(group.spare) for group in groups)
    yield Done(Duplicates(tuple(groups), twice, linkable))


def _files(artifacts: Sequence[Artifact]) -> list[_File]:
    """Every file once, lowest catalog ID first; folders and symbolic links are left out."""
    known: dict[tuple[int, int], list[tuple[Artifact, Path, os.stat_result, bool]]] = defaultdict(list)
    for artifact in sorted(artifacts, key=lambda one: one.id):
        for at in artifact.locations:
            there = _regular(at.path)
            if at.state == "present" and there and there.st_size:
                as_added = (there.st_size, there.st_mtime_ns) == (at.size, at.mtime_ns)
                known[there.st_dev, there.st_ino].append((artifact, at.path, there, as_added))
    return [_file(names) for names in known.values()]


def _file(names: Sequence[tuple[Artifact, Path, os.stat_result, bool]]) -> _File:
    artifact, _, there, as_added = names[0]
    paths = tuple(path for _, path, _, _ in names)
    copy = Copy(artifact.id, artifact.name, paths, there.st_dev, there.st_nlink)
    seen = Fingerprint(there.st_size, there.st_mtime_ns, file_key(there))
    return _File(copy, seen, artifact.digests.get("sha256") if as_added else None)


def _regular(path: Path) -> os.stat_result | None:
    try:
        there = path.lstat()
    except OSError:
        return None
    return there if stat.S_ISREG(there.st_mode) else None


def _by_size(files: Iterable[_File]) -> Mapping[int, Sequence[_File]]:
    found: dict[int, list[_File]] = defaultdict(list)
    for file in files:
        found[file.seen.size].append(file)
    return {size: files for size, files in found.items() if len(files) > 1}


def _candidates(files: Sequence[_File]) -> Sequence[_File]:
    """Those that may have an equal: where digests are lacking, samples of the ends tell most files apart."""
    if all(file.sha256 for file in files):
        return files
    alike: dict[str | None, list[_File]] = defaultdict(list)
    for file in files:
        alike[_sample(file.path)].append(file)
    return [file for ends, group in alike.items() if ends and len(group) > 1 for file in group]


def _sample(path: Path) -> str | None:
    try:
        return sample(path)
    except (MissingFile, OSError):
        return None


def _digests(
    catalog: Catalog, files: Sequence[_File], cancel: Cancel | None
) -> Generator[Event[Any], None, Mapping[Path, str]]:
    """The sha256 of those that have none, kept in the catalog too."""
    lacking, found = [file.path for file in files if not file.sha256], dict[Path, str]()
    for event in hash_files(lacking, cancel=cancel):
        if not isinstance(event, Hashed):
            yield event
        elif event.seen is None:
            yield Notice(f"left out: {event.error and event.error.message}")
        else:
            found[event.path] = event.digests["sha256"]
            catalog.files.note_digests(event.path, event.seen, event.digests)
    return found
