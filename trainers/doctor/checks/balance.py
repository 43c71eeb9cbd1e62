"""Numbers: how many pictures there are, and which part of an epoch is whose."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from trainers.doctor.nouns import Finding, Picture, Seen, Severity
from trainers.doctor.wording import count, named, share

__all__ = ["check", "seen_in_epoch"]

_FEW, _ADVISED = 8, "15 to 50"
_TIMES = 10
"""Times that one folder's pictures are seen more often than another's before it is told."""
_MOST_REPEATS = 200


def seen_in_epoch(pictures: list[Picture]) -> Counter[Path]:
    """Folder -> pictures of it that an epoch shows, each as often as it is repeated."""
    counts: Counter[Path] = Counter()
    for one in pictures:
        counts[one.path.parent] += one.subset.repeats  # type: ignore[assignment]  # 1.5 is once and twice in turn
    return counts


def check(seen: Seen) -> Iterator[Finding]:
    """Too few, too uneven, and what regularisation comes to."""
    learned = seen.learned
    yield from _few(seen)
    counts = {folder: number for folder, number in seen_in_epoch(learned).items() if number}
    if counts and max(counts.values()) > _TIMES * min(counts.values()):
        most, least = max(counts, key=counts.__getitem__), min(counts, key=counts.__getitem__)
        part = counts[least] / sum(counts.values())
        what = (
            f"an epoch shows {counts[most]:g} pictures of {most.name} and {counts[least]:g} of {least.name}, "
            f"which is {share(part)}"
        )
        mend = f"more repeats for the smaller one, e.g. name its folder {_better(counts[most], least, learned)}"
        yield Finding("uneven", Severity.WARNING, what, mend, (most, least))
    repeated = list(dict.fromkeys(one.path.parent for one in learned if one.subset.repeats > _MOST_REPEATS))
    if repeated:
        what = f"more than {_MOST_REPEATS} repeats: {named(one.name for one in repeated)}; an epoch is very long"
        yield Finding(
            "many-repeats", Severity.NOTE, what, "fewer repeats and more epochs come to the same", tuple(repeated)
        )
    yield from _regularisation(seen)


def _few(seen: Seen) -> Iterator[Finding]:
    learned = [one for one in seen.learned if one.seen]
    copies = sum(len(group) - 1 for group in seen.look_alikes)
    different = max(0, len(learned) - copies)
    if 0 < different < _FEW:
        what = f"{count(different, 'different picture')}: little to tell what belongs to it and what does not"
        mend = f"{_ADVISED} varied ones are usual for a character; fewer steps for fewer pictures"
        yield Finding("few", Severity.WARNING, what, mend)


def _better(most: float, folder: Path, learned: list[Picture]) -> str:
    held = sum(one.path.parent == folder for one in learned)
    return f"{max(2, round(most / held / 2))}_{folder.name.lstrip('0123456789_- ') or folder.name}"


def _regularisation(seen: Seen) -> Iterator[Finding]:
    priors = [one for one in seen.pictures if one.subset.regularisation]
    if not priors:
        return
    wanted = sum(one.subset.repeats for one in seen.learned)
    there = sum(one.subset.repeats for one in priors)
    if seen.orders.prior_weight == 0:
        what = f"{count(len(priors), 'picture')} of the class, and prior.weight is 0: they count for nothing"
        yield Finding("class-unused", Severity.WARNING, what, "--prior-weight 1, or leave them out")
    elif there < wanted and not seen.orders.drawn_priors:
        what = (
            f"{there:g} pictures of the class for {wanted:g} learned ones an epoch: "
            f"each is seen {wanted / there:.1f} times"
        )
        yield Finding("class-repeated", Severity.NOTE, what, f"--draw-class {round(wanted)} draws the others")
    elif there > wanted:
        what = (
            f"{there:g} pictures of the class for {wanted:g} learned ones an epoch: {there - wanted:g} wait each time"
        )
        yield Finding(
            "class-waiting", Severity.NOTE, what, "none is needed: no epoch has more of them than of the others"
        )
