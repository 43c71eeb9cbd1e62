"""What became of every file: found against known -> new, moved, changed, returned, missing (pure)."""

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from modelhub.catalog import KnownFile, KnownRow
from modelhub.upkeep.scan.walk import Row, Seen

__all__ = ["Changes", "Move", "Sample", "differing", "plan"]

Sample = Callable[[str], str | None]
"""Reads a little of the file at a path (see `modelhub.fingerprint.sample`); None when it cannot be read."""

_COARSE_NS = 2_000_000_000
"""What the time of a file may lose on the way to a disk that keeps even seconds only."""


@dataclass(frozen=True, slots=True)
class Move:
    """A known file that has another path now."""

    was: KnownFile
    now: Seen

    @property
    def touched(self) -> bool:
        """Whether it was also written to, perhaps."""
        return abs(self.now.mtime_ns - self.was.mtime_ns) > _COARSE_NS


@dataclass(frozen=True, slots=True)
class Changes:
    """How what was found differs from what is known."""

    new: tuple[Seen, ...] = ()
    moved: tuple[Move, ...] = ()
    changed: tuple[Seen, ...] = ()
    returned: tuple[Seen, ...] = ()
    stale: tuple[Seen, ...] = ()
    """As they were, but to be read again."""
    rekeyed: Mapping[str, str] = field(default_factory=dict)
    """Path -> device and inode, where only these differ."""
    missing: tuple[KnownFile, ...] = ()
    unchanged: int = 0


def differing(rows: dict[str, Row], known: Sequence[KnownRow]) -> tuple[dict[str, Seen], list[KnownFile], int]:
    """What was found and what is known, less those files that are as they were; and how many these are.

    `rows` is used up.
    """
    rest = []
    for one in known:
        row = rows.get(one[0])
        if row is not None and row[:5] == one[:5] and one[5] and not one[6]:
            del rows[one[0]]
        else:
            rest.append(KnownFile(*one))
    return {path: Seen(*row) for path, row in rows.items()}, rest, len(known) - len(rest)


def plan(
    found: Mapping[str, Seen], known: Mapping[str, KnownFile], *, gone: Iterable[KnownFile] = (), sample: Sample
) -> Changes:
    """Decide, by path, what became of each file; none is touched but through `sample`.

    `known` should lie where `found` was looked for; `gone` has left other places, and may have come here.
    """
    sorts: dict[str, list[Seen]] = {sort: [] for sort in ("new", "changed", "returned", "stale")}
    rekeyed: dict[str, str] = {}
    owners: dict[str | None, str] = {}
    for path, seen in found.items():
        one = known.get(path)
        if one is not None and seen.file_key != one.file_key:
            owners = owners or {each.file_key: each.path for each in known.values()}
            rekeyed[path] = seen.file_key
        if sort := _sort(seen, one, owners, sample):
            sorts[sort].append(seen)
    lost = [one for path, one in known.items() if path not in found]
    moved = _moves(sorts["new"], [*lost, *gone], sample)
    arrived, left = {move.now.path for move in moved}, {move.was.path for move in moved}
    return Changes(
        new=tuple(seen for seen in sorts["new"] if seen.path not in arrived),
        moved=tuple(moved),
        changed=tuple(sorts["changed"]),
        returned=tuple(sorts["returned"]),
        stale=tuple(sorts["stale"]),
        rekeyed=rekeyed,
        missing=tuple(one for one in lost if one.present and one.path not in left),
        unchanged=len(found) - sum(map(len, sorts.values())),
    )


def _sort(seen: Seen, one: KnownFile | None, owners: Mapping[str | None, str], sample: Sample) -> str | None:
    """What happened to one file; None when nothing did."""
    if one is None:
        return "new"
    if not one.present:
        return "returned"
    if seen.size != one.size or seen.mtime_ns != one.mtime_ns:
        return "changed"
    if seen.file_key != one.file_key and seen.file_key in owners and sample(seen.path) != one.sample:
        return "changed"  # two files of one size and time have changed places
    return "stale" if one.outdated or seen.sidecars != one.sidecars else None


def _moves(new: Iterable[Seen], lost: Iterable[KnownFile], sample: Sample) -> list[Move]:
    """Which of the new files are lost ones; each lost file is found once at most."""
    index: dict[object, list[KnownFile]] = defaultdict(list)
    for one in lost:
        for mark in (one.file_key, (one.size, one.mtime_ns // _COARSE_NS)):
            index[mark].append(one)
    taken: set[str] = set()
    moves = []
    for seen in sorted(new) if index else ():
        fitting = [one for one in _candidates(seen, index) if one.path not in taken and _is_same(seen, one, sample)]
        if fitting:
            best = min(fitting, key=lambda one: _strangeness(seen, one))
            taken.add(best.path)
            moves.append(Move(best, seen))
    return moves


def _candidates(seen: Seen, index: Mapping[object, list[KnownFile]]) -> Iterable[KnownFile]:
    moment = seen.mtime_ns // _COARSE_NS
    marks = (seen.file_key, *((seen.size, moment + offset) for offset in (0, -1, 1)))
    return {one.path: one for mark in marks for one in index.get(mark, ())}.values()


def _is_same(seen: Seen, one: KnownFile, sample: Sample) -> bool:
    if seen.size != one.size:
        return False
    if (seen.file_key, seen.mtime_ns) == (one.file_key, one.mtime_ns):
        return True
    likely = seen.file_key == one.file_key or abs(seen.mtime_ns - one.mtime_ns) <= _COARSE_NS
    return likely and one.sample is not None and sample(seen.path) == one.sample


def _strangeness(seen: Seen, one: KnownFile) -> tuple[bool, bool, int, str]:
    """Of several lost files that fit: first the one with the same inode, then the same name, then the oldest."""
    same_name = seen.path.rpartition(os.sep)[2] == one.path.rpartition(os.sep)[2]
    return seen.file_key != one.file_key, not same_name, one.artifact_id, one.path
