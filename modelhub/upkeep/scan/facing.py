"""Sets what a walk found against what the catalog expects there: unplugged disks are not mistaken for lost files."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from modelhub.catalog import KnownFile, KnownRow
from modelhub.errors import ModelHubError
from modelhub.fingerprint import fingerprint
from modelhub.upkeep.scan.changes import differing
from modelhub.upkeep.scan.walk import Seen, Unreachable, Walked
from modelhub.words.sidecars import sidecar_stamp

__all__ = ["Scene", "face", "is_below"]


@dataclass(frozen=True, slots=True)
class Scene:
    """What is there and what should be, where the two may differ."""

    found: dict[str, Seen]
    """By path."""
    expected: dict[str, KnownFile]
    """By path: what the catalog knows below the folders that could be looked through."""
    gone: tuple[KnownFile, ...]
    """Files that lay elsewhere, are not there any more, and look like something that was found."""
    unreachable: tuple[Unreachable, ...]
    waiting: tuple[str, ...]
    """Paths of files that are still being written, as it seems."""
    unchanged: int
    """Files that stand in neither `found` nor `expected`, since nothing happened to them."""


def face(
    walked: Walked,
    known: Sequence[KnownRow],
    starts: Sequence[str],
    *,
    partial: bool = False,
    settled_ns: int | None = None,
) -> Scene:
    """Files that changed after `settled_ns` wait; whatever lies in a folder that could not be read is left alone."""
    found, others, unchanged = differing(walked.rows, known)
    found = _in_order(found)
    waiting = tuple(path for path, one in found.items() if settled_ns is not None and one.mtime_ns > settled_ns)
    for path in waiting:
        del found[path]
    expected = {one.path: one for one in others if one.path in found}
    absent = [one for one in others if one.path not in found]
    unreachable = [*walked.unreachable, *(() if partial else _emptied(walked, absent))]
    barred = [*waiting, *(str(one.path) for one in unreachable)]
    lost = [one for one in absent if _is_within(one.path, starts) and not _is_within(one.path, barred)]
    found |= {seen.path: seen for seen in _passed_over(lost, found)}
    unplugged = _unplugged(one for one in lost if one.path not in found)
    barred += [str(one.path) for one in unplugged]
    expected |= {one.path: one for one in lost if not _is_within(one.path, barred)}
    gone = tuple(one for one in _lookalikes(absent, expected, found) if not Path(one.path).exists())
    return Scene(found, expected, gone, (*unreachable, *unplugged), waiting, unchanged)


def is_below(path: str, folder: str) -> bool:
    """Whether `path` is that folder or lies in it."""
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def _in_order(found: dict[str, Seen]) -> dict[str, Seen]:
    """Folder by folder as they were walked, by name in each; links to files last, so that real paths count."""
    ranks: dict[str, int] = {}
    keys = {
        path: (Path(path).is_symlink(), ranks.setdefault(path.rpartition(os.sep)[0], len(ranks)), path)
        for path in found
    }
    return {path: found[path] for path in sorted(found, key=keys.__getitem__)}


def _is_within(path: str, folders: Iterable[str]) -> bool:
    return any(is_below(path, folder) for folder in folders)


def _emptied(walked: Walked, absent: Sequence[KnownFile]) -> list[Unreachable]:
    """Roots that hold nothing at all where the catalog knows files: what an unmounted disk looks like."""
    counts = {root: sum(one.present and is_below(one.path, str(root)) for one in absent) for root in walked.empty}
    return [
        Unreachable(root, f"it is empty, and the catalog knows {count:,} files in it: is its disk mounted?")
        for root, count in counts.items()
        if count
    ]


def _passed_over(lost: Sequence[KnownFile], found: dict[str, Seen]) -> list[Seen]:
    """Known files that the walk does not look for (added by hand, or seen through a link), and which are there."""
    others = []
    names = {seen.path.casefold(): seen.file_key for seen in found.values()} if lost else {}
    for one in lost:
        try:
            there = fingerprint(Path(one.path))
        except (ModelHubError, OSError):
            continue
        if names.get(one.path.casefold()) == there.file_key:
            continue  # a name that differs in case only, where the file system does not tell the two apart
        stamp = sidecar_stamp(Path(one.path))
        others.append(Seen(one.path, there.size, there.mtime_ns, there.file_key, stamp))
    return others


def _unplugged(lost: Iterable[KnownFile]) -> list[Unreachable]:
    """Empty folders that stand where another disk was mounted when the catalog last saw a file there."""
    judged: dict[Path, bool] = {}
    for one in lost:
        folder = next((each for each in Path(one.path).parents if each.is_dir()), Path(os.sep))
        if folder not in judged and one.file_key is not None:
            judged[folder] = _is_bare(folder, device=one.file_key.partition(":")[0])
    reason = "it is empty, and another disk was mounted there"
    return [Unreachable(folder, reason) for folder, bare in judged.items() if bare]


def _is_bare(folder: Path, *, device: str) -> bool:
    try:
        return str(folder.stat().st_dev) != device and not any(folder.iterdir())
    except OSError:
        return False


def _lookalikes(
    absent: Iterable[KnownFile], expected: dict[str, KnownFile], found: dict[str, Seen]
) -> Iterable[KnownFile]:
    """Known files elsewhere with the inode or the size of something new."""
    new = [seen for path, seen in found.items() if path not in expected]
    marks = {mark for seen in new for mark in (seen.file_key, seen.size)}
    return (one for one in absent if one.path not in expected and (one.file_key in marks or one.size in marks))
