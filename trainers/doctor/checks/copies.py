"""Pictures that are there more than once: what is seen twice counts twice."""

import shlex
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from trainers.doctor.nouns import Finding, Glance, Picture, Seen, Severity
from trainers.doctor.wording import below, count, named

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
    for group in alike[:_TOLD]:
        yield from _of_group(seen, group)
    if more := alike[_TOLD:]:
        paths = [one.path for group in more for one in group]
        what = f"{len(paths)} more pictures that look like another one, in {count(len(more), 'group')}"
        mend = f"modelhub dataset stats {shlex.quote(str(seen.root))} shows them side by side"
        yield Finding("near-copies", Severity.WARNING, what, mend, tuple(paths))


def _of_group(seen: Seen, group: list[Picture]) -> Iterator[Finding]:
    learned = _learned(group)
    if learned and len(learned) < len(group):
        paths = [one.path for one in group]
        what = f"learned, and a picture of the class as well: {named(below(seen.root, paths))}"
        prior = next(one.path for one in group if one.subset.regularisation)
        yield Finding("copy-in-class", Severity.WARNING, what, f"rm {shlex.quote(str(prior))}", tuple(paths))
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
    mend = f"keep one: rm {' '.join(shlex.quote(str(path)) for path in others[:4])}{' ...' * (len(others) > 4)}"
    return Finding("copies" if same else "near-copies", Severity.WARNING, what, mend, (kept, *others))


def _learned(group: list[Picture]) -> list[Picture]:
    return [one for one in group if not one.subset.regularisation]
