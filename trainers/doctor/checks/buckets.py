"""Sizes: what is enlarged, what is cut away, and which buckets have one picture only."""

from collections import defaultdict
from collections.abc import Iterator

from trainers.doctor.nouns import Finding, Seen, Severity
from trainers.doctor.placing import Placed, placed
from trainers.doctor.wording import below, count, named, share

__all__ = ["check"]

_BLURRED = 1.5
"""Times that a picture is enlarged from where one sees it."""
_CUT = 0.1
"""Share of a picture that is missed when it is cut away."""


def check(seen: Seen) -> Iterator[Finding]:
    """Nothing is ever lost or doubled: a short batch stays short. So only how pictures are shown is told."""
    found = list(placed(seen))
    yield from _enlarged(seen, found)
    yield from _cut_away(seen, found)
    yield from _alone(found)


def _enlarged(seen: Seen, found: list[Placed]) -> Iterator[Finding]:
    for resolution in sorted({one.resolution for one in found}):
        small = [one for one in found if one.resolution == resolution and one.enlarged > 1]
        blurred = [one for one in small if one.enlarged >= _BLURRED]
        if not small:
            continue
        paths = tuple(one.picture.path for one in small)
        most = max(small, key=lambda one: one.enlarged)
        what = (
            f"{count(len(small), 'picture')} of {len(seen.readable)} smaller than {resolution} pixels a side, enlarged "
            f"up to {most.enlarged:.1f} times: {named(_sized(seen, sorted(small, key=lambda one: -one.enlarged)))}"
        )
        mend = "--no-upscale trains them at their own size; or a smaller --resolution"
        if blurred:
            mend = f"larger originals, or modelhub upscale; else {mend}"
        yield Finding("enlarged", Severity.WARNING if blurred else Severity.NOTE, what, mend, paths)


def _sized(seen: Seen, found: list[Placed]) -> list[str]:
    names = below(seen.root, [one.picture.path for one in found])
    return [f"{name} ({one.size[0]}x{one.size[1]})" for name, one in zip(names, found, strict=True)]


def _cut_away(seen: Seen, found: list[Placed]) -> Iterator[Finding]:
    cut = sorted((one for one in found if one.cut_off > _CUT), key=lambda one: -one.cut_off)
    if cut:
        names = below(seen.root, [one.picture.path for one in cut])
        told = [f"{name} ({share(one.cut_off)})" for name, one in zip(names, cut, strict=True)]
        what = f"{count(len(cut), 'picture')} with more than {share(_CUT)} cut away at the edges: {named(told)}"
        mend = "crop them yourself, so that what matters is in the middle"
        if not seen.orders.buckets:
            mend = "--buckets keeps their aspect ratios"
        paths = dict.fromkeys(one.picture.path for one in cut)
        yield Finding("cut-away", Severity.WARNING, what, mend, tuple(paths))


def _alone(found: list[Placed]) -> Iterator[Finding]:
    held: dict[tuple[int, int], list[Placed]] = defaultdict(list)
    for one in found:
        held[one.placement.bucket].append(one)
    alone = [bucket for bucket, members in held.items() if len(members) == 1]
    if len(alone) > 1 and len(found) > 1:
        sizes = [f"{width}x{height}" for width, height in sorted(alone)]
        what = (
            f"{len(alone)} of {len(held)} buckets hold one picture: {named(sizes)}; "
            "they are trained as often as all others, in batches of their own"
        )
        mend = "none is needed; pictures of fewer shapes train a little faster"
        paths = tuple(one.picture.path for bucket in alone for one in held[bucket])
        yield Finding("small-buckets", Severity.NOTE, what, mend, paths)
