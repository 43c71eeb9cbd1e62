"""Gives equal files one place on the disk, each compared just before, with a journal that can undo it."""

import json
import os
import shutil
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from modelhub.catalog import Catalog
from modelhub.digests import digest_file
from modelhub.errors import BadValue, BrokenFile, MissingFile
from modelhub.jobs import Cancel, Done, Event, Job
from modelhub.upkeep.dedupe import Duplicate, Duplicates
from modelhub.workspace import Workspace, publish

__all__ = ["Linked", "Skipped", "Undone", "journals", "link", "undo"]

_SCHEMA = 1
_Stamp = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that was left as it is."""

    path: Path
    why: str


@dataclass(frozen=True, slots=True)
class Linked:
    """What linking came to."""

    journal: Path | None
    """What `undo` takes; None when nothing was linked."""
    linked: tuple[Path, ...]
    skipped: tuple[Skipped, ...]
    saved: int
    """Bytes."""


@dataclass(frozen=True, slots=True)
class Undone:
    """What undoing came to."""

    restored: tuple[Path, ...]
    """These have bytes of their own again."""
    skipped: tuple[Skipped, ...]


@dataclass(frozen=True, slots=True)
class _Step:
    """One name that is to become another name of the file at `to`."""

    link: Path
    to: Path
    sha256: str
    saves: int
    """Bytes; 0 for all names of a file but the last."""


def journals(workspace: Workspace) -> Path:
    """The folder of the journals."""
    return workspace.root / "journals"


def link(catalog: Catalog, duplicates: Duplicates, *, cancel: Cancel | None = None) -> Job[Linked]:
    """Put hard links in the place of spare copies, one at a time; each is compared just before."""
    linked: list[Path] = []
    steps, skipped = _planned(duplicates.groups)
    digests = _Digests(cancel)
    saved = 0
    with _journal(catalog.workspace) as journal:
        for step in steps:
            try:
                yield from _link(step, digests, journal)
            except (OSError, BrokenFile, MissingFile) as error:
                skipped.append(Skipped(step.link, _reason(error)))
            else:
                catalog.files.refresh(step.link)
                linked.append(step.link)
                saved += step.saves
    yield Done(Linked(journal.path if linked else None, tuple(linked), tuple(skipped), saved))


def undo(catalog: Catalog, path: Path) -> Job[Undone]:
    """Give every file that a journal tells of its own bytes and its own time again."""
    restored: list[Path] = []
    skipped: list[Skipped] = []
    for entry in reversed(_read(path)):
        name = Path(entry["link"])
        try:
            _unlink(name, entry)
        except (OSError, _NotLinked) as error:
            skipped.append(Skipped(name, _reason(error)))
        else:
            catalog.files.refresh(name)
            restored.append(name)
    yield Done(Undone(tuple(restored), tuple(skipped)))


class _NotLinked(Exception):
    """A name in a journal that is no longer one of the kept file's."""


def _planned(groups: Sequence[Duplicate]) -> tuple[list[_Step], list[Skipped]]:
    steps, skipped = [], []
    for group in groups:
        for spare in group.spare:
            if spare.names > len(spare.paths):
                why = "it has more names, which the catalog does not know: linking it would save nothing"
                skipped += [Skipped(path, why) for path in spare.paths]
            else:
                kept = group.kept[spare.device].paths[0]
                *others, last = spare.paths
                steps += [_Step(path, kept, group.sha256, 0) for path in others]
                steps.append(_Step(last, kept, group.sha256, group.size))
    return steps, skipped


class _Digests:
    """Digests of files as they are now; the kept file of a group is read once."""

    def __init__(self, cancel: Cancel | None) -> None:
        self._cancel = cancel
        self._known: dict[_Stamp, str] = {}

    def of(self, path: Path) -> Generator[Event[Any], None, tuple[_Stamp, str]]:
        stamp = _stamp(path)
        if stamp not in self._known:
            for event in digest_file(path, algorithms=("sha256",), cancel=self._cancel):
                if isinstance(event, Done):
                    self._known[stamp] = event.result["sha256"]
                else:
                    yield event
        return stamp, self._known[stamp]


class _Journal:
    """Lines of JSON, each on the disk before what it tells of is done; the file is made with the first."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: TextIO | None = None

    def write(self, **entry: object) -> None:
        if self._file is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("x", encoding="utf-8")
        self._file.write(json.dumps({"schema": _SCHEMA, **entry}, ensure_ascii=False) + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        if self._file:
            self._file.close()


@contextmanager
def _journal(workspace: Workspace) -> Iterator[_Journal]:
    now = datetime.now(UTC)
    journal = _Journal(journals(workspace) / f"dedupe-{now:%Y%m%d-%H%M%S}-{os.urandom(2).hex()}.jsonl")
    try:
        yield journal
    finally:
        journal.close()


def _link(step: _Step, digests: _Digests, journal: _Journal) -> Generator[Event[Any], None, None]:
    kept, spare = (yield from digests.of(step.to)), (yield from digests.of(step.link))
    if not kept[1] == spare[1] == step.sha256:
        raise BrokenFile(step.link, "its bytes differ by now: modelhub verify")
    there = step.link.stat()
    journal.write(
        link=str(step.link),
        to=str(step.to),
        sha256=step.sha256,
        mtime_ns=there.st_mtime_ns,
        mode=there.st_mode & 0o7777,
    )
    part = step.link.with_name(f".{os.urandom(8).hex()}.part")
    try:
        os.link(step.to, part)
        if (_stamp(step.to), _stamp(step.link)) != (kept[0], spare[0]):
            raise BrokenFile(step.link, "it changed while it was compared")
        part.replace(step.link)
    finally:
        part.unlink(missing_ok=True)


def _stamp(path: Path) -> _Stamp:
    there = path.stat()
    return there.st_dev, there.st_ino, there.st_size, there.st_mtime_ns


def _read(path: Path) -> list[Mapping[str, Any]]:
    """The steps of a journal; one that was cut off with its process had not been done."""
    if not path.is_file():
        raise MissingFile(f"{path}: there is no such journal", mend=f"ls {path.parent}")
    entries: list[Mapping[str, Any]] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            break
        if not isinstance(entry, dict) or not {"link", "to", "mtime_ns", "mode"} <= entry.keys():
            raise BadValue(f"{path} is no journal of dedupe")
        entries.append(entry)
    return entries


def _unlink(name: Path, entry: Mapping[str, Any]) -> None:
    kept = Path(entry["to"])
    if not name.exists() or not kept.exists() or not name.samefile(kept):
        raise _NotLinked(f"it is no longer linked to {kept}")
    with publish(name) as part:
        shutil.copyfile(name, part)
        os.utime(part, ns=(entry["mtime_ns"], entry["mtime_ns"]))
    name.chmod(entry["mode"])


def _reason(error: Exception) -> str:
    if isinstance(error, BrokenFile):
        return error.reason
    return f"it could not be linked ({error.strerror})" if isinstance(error, OSError) else str(error)
