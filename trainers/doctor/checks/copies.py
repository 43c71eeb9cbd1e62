"""Pictures that are there more than once: what is seen twice counts twice."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from trainers.dataset.likeness import MIRRORED, Turned
from trainers.dataset.nouns import Glance
from trainers.doctor.captions import sides
from trainers.doctor.nouns import Finding, Picture, Seen, Severity
from trainers.doctor.wording import arguments, below, count, named, quoted

__all__ = ["check"]

_TOLD = 10
"""Groups that are told one by one."""


def check(seen: Seen) -> Iterator[Finding]:
    """All alike is refused; groups are told one by one."""
    readable = [one for one, _ in seen.readable]
    learned = [one for one in readable if not one.subset.regularisation]
    alike = [[seen.pictures[index] for index in group] for group in seen.look_alikes]
    if len(learned) > 1 and any(len(_learned(group)) == len(learned) for group in alike):
        yield Finding(
            "all-copies",
            Severity.ERROR,
            f"all {len(learned)} pictures are the same one: nothing can be told apart from it",
            "collect different pictures; repeats are set by the folder's name (10_NAME) or by repeats in [dataset]",
            tuple(one.path for one in learned),
        )
        return
    yield from _mirrored(seen)
    yield from _on_its_side(seen)
    for group in alike[:_TOLD]:
        yield from _of_group(seen, group)
    if more := alike[_TOLD:]:
        paths = [one.path for group in more for one in group]
        what = f"{len(paths)} more pictures that look like another one, in {count(len(more), 'group')}"
        mend = f"modelhub dataset stats {quoted(seen.root)} shows them side by side"
        yield Finding("near-copies", Severity.WARNING, what, mend, tuple(paths))


def _of_group(seen: Seen, group: list[Picture]) -> Iterator[Finding]:
    learned = _learned(group)
    if learned and len(learned) < len(group):
        paths = [one.path for one in group]
        what = f"learned, and a picture of the class as well: {named(below(seen.root, paths))}"
        prior = next(one.path for one in group if one.subset.regularisation)
        yield Finding("copy-in-class", Severity.WARNING, what, f"rm {quoted(prior)}", tuple(paths))
    if len(learned) > 1:
        yield _copies(seen, learned)


def _copies(seen: Seen, group: list[Picture]) -> Finding:
    """The largest stays, of equals the first."""
    digests: dict[str, list[Path]] = defaultdict(list)
    for one in group:
        if isinstance(one.glance, Glance):
            digests[one.glance.sha256].append(one.path)
    kept = max(group, key=lambda one: one.seen.size[0] * one.seen.size[1] if one.seen else 0).path
    others = [one.path for one in group if one.path != kept]
    told = named(below(seen.root, [kept, *others]), 4)
    same = len(digests) == 1
    what = f"{count(len(group), 'picture')} {'are one file' if same else 'look the same'}: {told}"
    mend = f"keep one: rm {arguments(others, 4)}"
    return Finding("copies" if same else "near-copies", Severity.WARNING, what, mend, (kept, *others))


def _mirrored(seen: Seen) -> Iterator[Finding]:
    """Mirror images: where pictures are mirrored anyway they are copies, else they may be meant."""
    pairs = [pair for pair, turned in _pairs(seen) if turned == MIRRORED]
    flipped = [pair for pair in pairs if any(one.subset.augment.flip for one in pair)]
    others = [pair for pair in pairs if pair not in flipped and not _tell_sides(*pair)]
    for found, severity, why in (
        (flipped, Severity.WARNING, "so with flip each is seen twice as often as others"),
        (others, Severity.NOTE, "so what they have in common is seen twice as often"),
    ):
        if found:
            what = f"{count(len(found), 'picture')} that {'is' if len(found) == 1 else 'are'} the mirror image of "
            what += f"another one, {why}: {_told(seen, found)}"
            yield Finding("mirror-image", severity, what, _keeping_one(found), _paths(found))


def _on_its_side(seen: Seen) -> Iterator[Finding]:
    found = [pair for pair, turned in _pairs(seen) if turned != MIRRORED]
    if found:
        what = f"{count(len(found), 'picture')} that {'is' if len(found) == 1 else 'are'} another one turned on its "
        what += f"side or upside down: {_told(seen, found)}"
        mend = f"keep the upright one: rm {quoted(found[0][1].path)}, or the other one"
        yield Finding("turned-copy", Severity.WARNING, what, mend, _paths(found))


def _pairs(seen: Seen) -> Iterator[tuple[tuple[Picture, Picture], Turned]]:
    """Learned pictures that are the same once one is turned."""
    for one in seen.turned:
        pair = seen.pictures[one.left], seen.pictures[one.right]
        if not any(each.subset.regularisation for each in pair):
            yield pair, one.turned


def _tell_sides(left: Picture, right: Picture) -> bool:
    """Whether their captions tell them apart by a side."""
    return sides(left.caption or "") != sides(right.caption or "")


def _told(seen: Seen, pairs: list[tuple[Picture, Picture]]) -> str:
    return named(f"{second} of {first}" for first, second in (below(seen.root, _paths([pair])) for pair in pairs))


def _paths(pairs: list[tuple[Picture, Picture]]) -> tuple[Path, ...]:
    return tuple(dict.fromkeys(one.path for pair in pairs for one in pair))


def _keeping_one(pairs: list[tuple[Picture, Picture]]) -> str:
    others = list(dict.fromkeys(second.path for _, second in pairs))
    return f"keep one of both: rm {arguments(others, 4)}"


def _learned(group: list[Picture]) -> list[Picture]:
    return [one for one in group if not one.subset.regularisation]
