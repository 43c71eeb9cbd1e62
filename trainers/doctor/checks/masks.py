"""Masks: ones that are missing, do not fit, or leave nothing to learn."""

from collections.abc import Iterator
from pathlib import Path

from trainers.dataset.folder import bare_name
from trainers.dataset.nouns import Glance, Unread
from trainers.doctor.nouns import Finding, Picture, Seen, Severity
from trainers.doctor.wording import below, count, named, quoted, share

__all__ = ["check", "coverage", "learned_masks"]

_LITTLE = 0.02
"""Share of a picture below which hardly anything is learned."""
_ASPECT = 0.02
"""By which aspect ratios may differ, as a share: rounding to whole pixels."""


def coverage(picture: Picture) -> float | None:
    """Share of a picture that is learned; None where no mask says anything."""
    if isinstance(picture.mask_glance, Glance):
        return picture.mask_glance.look.brightness / 255
    if picture.subset.alpha_mask and picture.seen:
        return 1 - picture.seen.clear
    return None


def learned_masks(seen: Seen) -> list[Picture]:
    """Pictures that are masks of others, by their names: ``a_mask.png`` beside ``a.png``."""
    there = {one.path.with_suffix("") for one in seen.pictures}
    return [
        one
        for one in seen.pictures
        if (own := bare_name(one.path)) != one.path.stem and one.path.with_name(own) in there
    ]


def check(seen: Seen) -> Iterator[Finding]:
    """All masks that are there, and those that should be."""
    yield from _among_pictures(seen)
    yield from _missing(seen)
    yield from _unreadable(seen)
    yield from _of_another_shape(seen)
    yield from _covering(seen)
    lost = [one.path for one in seen.strays if one.looks_like == "mask"]
    if lost:
        what = f"{count(len(lost), 'mask')} without a picture of the same name: {named(below(seen.root, lost))}"
        yield Finding("orphan-mask", Severity.WARNING, what, "name it as its picture is named", tuple(lost))


def _among_pictures(seen: Seen) -> Iterator[Finding]:
    if found := learned_masks(seen):
        paths = [one.path for one in found]
        what = f"{count(len(paths), 'mask')} among the pictures, by the names, would be learned as pictures: "
        folder = quoted(f"{paths[0].parent}-masks")
        ends = sorted({f"{quoted(path.parent)}/*{path.stem[len(bare_name(path)) :]}{path.suffix}" for path in paths})
        mend = f"mkdir {folder} && mv {' '.join(ends)} {folder}, and --masks {folder}"
        yield Finding("learned-mask", Severity.ERROR, what + named(below(seen.root, paths)), mend, tuple(paths))


def _missing(seen: Seen) -> Iterator[Finding]:
    folders = {one.subset.masks for one in seen.pictures if one.subset.masks}
    for folder in sorted(folders):
        of_folder = [one for one in seen.pictures if one.subset.masks == folder]
        bare = [one.path for one in of_folder if one.mask is None]
        if len(bare) == len(of_folder):
            what = f"{folder} has no mask for any picture"
            yield Finding("no-masks", Severity.ERROR, what, f"name each as its picture: {_example(folder, bare[0])}")
        elif bare:
            what = f"{count(len(bare), 'picture')} without a mask, so learned as a whole: "
            mend = f"draw the others: {_example(folder, bare[0])}"
            yield Finding("no-mask", Severity.NOTE, what + named(below(seen.root, bare)), mend, tuple(bare))


def _example(folder: Path, picture: Path) -> str:
    return str(folder / f"{picture.stem}.png")


def _unreadable(seen: Seen) -> Iterator[Finding]:
    bad = [one.mask_glance for one in seen.pictures if isinstance(one.mask_glance, Unread)]
    if bad:
        told = named(f"{each.path} ({each.why})" for each in bad)
        what = f"{count(len(bad), 'mask')} cannot be opened: {told}"
        yield Finding("broken-mask", Severity.ERROR, what, "replace or remove them", tuple(each.path for each in bad))


def _of_another_shape(seen: Seen) -> Iterator[Finding]:
    odd = [one for one in seen.pictures if one.mask and not _fits(one)]
    if odd:
        paths = [one.mask for one in odd if one.mask]
        what = f"{count(len(odd), 'mask')} of another shape than the picture, so stretched: {named(map(str, paths))}"
        yield Finding("mask-shape", Severity.WARNING, what, "save masks in the size of their pictures", tuple(paths))


def _fits(picture: Picture) -> bool:
    if not picture.seen or not isinstance(picture.mask_glance, Glance):
        return True
    (width, height), (across, down) = picture.seen.size, picture.mask_glance.size
    return abs(width * down / (height * across) - 1) <= _ASPECT


def _covering(seen: Seen) -> Iterator[Finding]:
    shares = [(one, part) for one in seen.pictures if (part := coverage(one)) is not None]
    empty = [one.path for one, part in shares if part == 0]
    little = [one.path for one, part in shares if 0 < part < _LITTLE]
    if empty:
        every = len(empty) == len(seen.pictures)
        what = f"{count(len(empty), 'picture')} wholly masked out, so nothing is learned from " + (
            "any of them" if every else f"{'it' if len(empty) == 1 else 'them'}: {named(below(seen.root, empty))}"
        )
        severity = Severity.ERROR if every else Severity.WARNING
        yield Finding("empty-mask", severity, what, "white is learned, black is not: invert the mask", tuple(empty))
    if little:
        what = f"{count(len(little), 'mask')} that cover less than {share(_LITTLE)}: {named(below(seen.root, little))}"
        yield Finding("small-mask", Severity.WARNING, what, "mark more of what shall be learned", tuple(little))
