"""Looks through folders for models without opening any: names, sizes and times, as the file system gives them."""

import os
import stat
from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from modelhub.errors import ModelHubError
from modelhub.fingerprint import fingerprint
from modelhub.headers import WEIGHT_SUFFIXES, holds_model
from modelhub.jobs import Cancel, Done, Job, Progress
from modelhub.words.sidecars import by_stem, sidecar_names, sidecar_stamp

__all__ = ["Row", "Seen", "Unreachable", "Walked", "walk"]

_EVERY = 10_000
"""Files between two events."""
_UNFINISHED = (".aria2", ".part", ".crdownload", ".download")
"""Downloaders keep such a file beside the one that they write."""


class Seen(NamedTuple):
    """A model as the file system shows it. Its first five fields are those of a `KnownFile`."""

    path: str
    """Absolute."""
    size: int
    """Bytes."""
    mtime_ns: int
    file_key: str
    sidecars: str = ""
    """Stamp of the notes beside it."""
    siblings: tuple[str, ...] = ()
    """The names of those notes."""


Row = tuple[str, int, int, str, str, tuple[str, ...]]
"""The fields of a `Seen`: of plain tuples a hundred thousand are nothing to the garbage collector."""


@dataclass(frozen=True, slots=True)
class Unreachable:
    """A folder that could not be looked through: nothing is known of what lies below."""

    path: Path
    reason: str


@dataclass(slots=True)
class Walked:
    """What was found."""

    rows: dict[str, Row] = field(default_factory=dict)
    """By path, folder by folder in the order of the walk."""
    unreachable: list[Unreachable] = field(default_factory=list)
    empty: list[Path] = field(default_factory=list)
    """Of the roots: those in which there is nothing at all."""


def walk(roots: Sequence[str], *, avoid: Collection[Path] = (), cancel: Cancel | None = None) -> Job[Walked]:
    """Find every weight file and model folder below `roots`, each folder once however many ways lead to it.

    Real folders come before links to them, so that a path without links is the one that counts. Hidden and half
    written files are passed over, and the folders to `avoid`.
    """
    walked, visited, told = Walked(), set[tuple[int, int]](), _EVERY
    starts = [os.path.abspath(root) for root in roots]
    real = [start for start in starts if os.path.realpath(start) == start]
    folders, links = real[::-1], deque(sorted(set(starts) - set(real)))
    avoided = {str(folder) for folder in avoid}
    while folders or links:
        if cancel:
            cancel.check()
        path = folders.pop() if folders else links.popleft()
        listing = _listing(path, visited, walked)
        if listing is None:
            continue
        if not listing and path in starts:
            walked.empty.append(Path(path))
        deeper, linked = _sorted_out(path, listing, walked)
        folders += [each for each in sorted(deeper, reverse=True) if each not in avoided]
        links.extend(each for each in sorted(linked) if each not in avoided)
        if len(walked.rows) >= told:
            yield Progress("look", len(walked.rows), None, "files")
            told = len(walked.rows) + _EVERY
    yield Progress("look", len(walked.rows), len(walked.rows), "files")
    yield Done(walked)


def _listing(path: str, visited: set[tuple[int, int]], walked: Walked) -> list[os.DirEntry[str]] | None:
    """What is in a folder; None when it was visited, or cannot be."""
    try:
        there = Path(path).stat()
        if (there.st_dev, there.st_ino) in visited:
            return None
        visited.add((there.st_dev, there.st_ino))
        with os.scandir(path) as entries:
            return list(entries)
    except OSError as error:
        walked.unreachable.append(Unreachable(Path(path), error.strerror or str(error)))
        return None


def _sorted_out(path: str, listing: list[os.DirEntry[str]], walked: Walked) -> tuple[list[str], list[str]]:
    """Note the models among the entries of a folder; returns the folders in it and the links to folders."""
    if holds_model([entry.name for entry in listing]):
        _note_folder(path, walked)
        return [], []
    rows: dict[str, Row] = {}
    others: list[str] = []
    folders: list[str] = []
    links: list[str] = []
    for entry in listing:
        name = entry.name
        if name[0] == ".":
            continue
        if (name.endswith(WEIGHT_SUFFIXES) or name.lower().endswith(WEIGHT_SUFFIXES)) and (row := _row(entry)):
            rows[name] = row
        elif entry.is_dir(follow_symlinks=False):
            folders.append(entry.path)
        elif entry.is_symlink() and _leads_to_folder(entry):
            links.append(entry.path)
        else:
            others.append(name)
    for row in (_beside(rows, others) if others else rows).values():
        walked.rows[row[0]] = row
    return folders, links


def _leads_to_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # links in a circle, or into what may not be entered
        return False


def _row(entry: os.DirEntry[str]) -> Row | None:
    """A weight file; None for what is no file, or is not there any more."""
    try:
        there = entry.stat()
    except OSError:
        return None
    if not stat.S_ISREG(there.st_mode):
        return None
    return entry.path, there.st_size, there.st_mtime_ns, f"{there.st_dev}:{there.st_ino}", "", ()


def _note_folder(path: str, walked: Walked) -> None:
    try:
        there = fingerprint(Path(path))
    except (OSError, ModelHubError) as error:
        walked.unreachable.append(Unreachable(Path(path), str(error)))
    else:
        beside = tuple(name for name in sidecar_names(Path(path)) if Path(path).with_name(name).is_file())
        stamp = sidecar_stamp(Path(path), beside)
        walked.rows[path] = (path, there.size, there.mtime_ns, there.file_key, stamp, beside)


def _beside(rows: dict[str, Row], others: list[str]) -> dict[str, Row]:
    """The weight files of one folder with what stands beside them, less those that are not whole yet."""
    for name in {other.removesuffix(ending) for other in others for ending in _UNFINISHED if other.endswith(ending)}:
        rows.pop(name, None)
    notes = by_stem(others)
    for name in rows if notes else ():
        if siblings := notes.get(name.rpartition(".")[0]):
            path, size, mtime_ns, key, *_ = rows[name]
            rows[name] = (path, size, mtime_ns, key, sidecar_stamp(Path(path), siblings), tuple(siblings))
    return rows
