"""Folders: pictures that are looked for in the wrong place, and names of folders that almost say something."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from trainers.dataset.folder import KOHYA_FOLDER
from trainers.dataset.pictures import IMAGES
from trainers.doctor.nouns import Finding, Seen, Severity
from trainers.doctor.wording import below, count, named, quoted

__all__ = ["check"]

_ALMOST = re.compile(r"(\d+)(?:[ -]+(?=[^\W\d_])|(?=[^\W\d_]{3}))(.+)")
"""``10-kip``, ``10kip``; but ``3d``, ``2b_dress`` are names."""
_OF_THE_CLASS = {"reg", "regs", "regularization", "regularisation", "class", "class_images"}
_NOT_LEARNED = {"log", "logs", "model", "models", "sample", "samples", "preview", "previews", "output", "outputs"}


def check(seen: Seen) -> Iterator[Finding]:
    """Folder levels of kohya's layout first, since they are what goes wrong most."""
    yield from (_error("unreadable-list", fault.message, fault.mend or "") for fault in seen.faults)
    if not seen.pictures and not seen.faults:
        yield _nothing(seen.root, unread=any(one.looks_like == "picture" for one in seen.strays))
    yield from _nothing_learned(seen)
    yield from _described(seen)
    yield from _several_sets(seen)
    yield from _almost_repeats(seen)
    yield from _below_repeats(seen)
    yield from _other_purposes(seen)


def _nothing(root: Path, *, unread: bool) -> Finding:
    """`unread` says that there are pictures of formats that are not read."""
    formats = ", ".join(sorted(IMAGES))
    if root.is_file() and root.suffix.lower() in IMAGES:
        return _error("not-a-folder", f"{root} is one picture, not a folder of them", f"--images {quoted(root.parent)}")
    if not root.is_dir():
        return _error("no-folder", f"{root} is no folder of images", f"ls {quoted(root.parent)}")
    above = _pictures_in(root.parent)
    if above:
        what = f"there are no pictures in {root}, but {len(above)} in the folder above"
        return _error("no-pictures", what, f"--images {quoted(root.parent)}", above)
    zero = [path for path in (root, *sorted(root.rglob("0_*"))) if path.name.startswith("0_")]
    if zero:
        new = zero[0].with_name("10" + zero[0].name[1:])
        return _error(
            "no-repeats", f"{zero[0]} says 0 repeats: nothing is learned", f"mv {quoted(zero[0])} {quoted(new)}"
        )
    mend = f"convert those that are there, or put {formats} files there" if unread else f"put {formats} files there"
    return _error("no-pictures", f"there are no pictures in {root}", mend)


def _pictures_in(folder: Path) -> list[Path]:
    """None where it may not be read."""
    with suppress(OSError):
        return [path for path in folder.iterdir() if path.suffix.lower() in IMAGES]
    return []


def _nothing_learned(seen: Seen) -> Iterator[Finding]:
    """Pictures, and all of them judge or stand for the class."""
    if seen.pictures and not seen.learned:
        what = f"all {len(seen.pictures)} pictures are held out or of the class: nothing is learned"
        yield _error("nothing-learned", what, "name pictures to learn from: --images FOLDER")


def _described(seen: Seen) -> Iterator[Finding]:
    """How another trainer's description is taken, and what of it is not."""
    for notice in seen.notices:
        yield Finding("described", Severity.NOTE, notice)


def _several_sets(seen: Seen) -> Iterator[Finding]:
    """``img/10_kip`` and ``reg/1_girl`` below what was given: the second would be learned as if it were the first."""
    parents: dict[Path, list[Path]] = defaultdict(list)
    for picture in seen.learned:
        folder = picture.path.parent
        if KOHYA_FOLDER.fullmatch(folder.name) and folder not in parents[folder.parent]:
            parents[folder.parent].append(folder)
    parents = {parent: found for parent, found in parents.items() if found}
    if len(parents) < 2:
        return
    learned = next((one for one in parents if one.name.lower() not in _OF_THE_CLASS), min(parents))
    prior = next((one for one in parents if one.name.lower() in _OF_THE_CLASS), None)
    names = named(below(seen.root, sorted(parents)))
    mend = f"--images {quoted(learned)}" + (f" --reg {quoted(prior)}" if prior else "")
    yield _error(
        "wrong-level",
        f"this is one level too high: there are several sets of N_name folders below it, in {names}, "
        "and all of them would be learned as one",
        mend,
        sorted(parents),
    )


def _almost_repeats(seen: Seen) -> Iterator[Finding]:
    for folder in _with_pictures(seen):
        bare = folder.name.lstrip("_ ")
        match = KOHYA_FOLDER.fullmatch(bare) or _ALMOST.fullmatch(bare)
        if match and not KOHYA_FOLDER.fullmatch(folder.name):
            right = folder.with_name(f"{int(match[1])}_{match[2]}")
            what = f"the folder {folder.name} gives no repeats: its pictures are seen once an epoch"
            mend = f"if it should, mv {quoted(folder)} {quoted(right)}"
            yield Finding("mistyped-repeats", Severity.NOTE, what, mend, (folder,))


def _below_repeats(seen: Seen) -> Iterator[Finding]:
    """Pictures in folders within an ``N_name`` folder, whose number does not reach them."""
    single = {one.path.parent for one in seen.pictures if one.subset.repeats == 1}
    lost: dict[Path, list[Path]] = defaultdict(list)
    for folder in (one for one in _with_pictures(seen) if one in single and not KOHYA_FOLDER.fullmatch(one.name)):
        above = next((one for one in folder.parents if KOHYA_FOLDER.fullmatch(one.name)), None)
        if above and above.is_relative_to(seen.root):
            lost[above].append(folder)
    for above, folders in lost.items():
        held = sum(one.path.parent in folders for one in seen.pictures)
        what = f"{count(held, 'picture')} below {above.name}, which gives repeats to its own only, in: "
        mend = f"mv {quoted(folders[0])}/* {quoted(above)}/"
        yield Finding("below-repeats", Severity.WARNING, what + named(map(str, folders)), mend, tuple(folders))


def _other_purposes(seen: Seen) -> Iterator[Finding]:
    """Folders named for pictures of the class, or for what trainings write."""
    learned = Counter(one.path.parent for one in seen.learned)
    for folder, held in sorted(learned.items()):
        if not folder.is_relative_to(seen.root) or folder == seen.root:
            continue
        first = folder.relative_to(seen.root).parts[0].lower()
        if first in _OF_THE_CLASS:
            place = seen.root / folder.relative_to(seen.root).parts[0]
            what = f"{count(held, 'picture')} in {place} are learned; by its name they are pictures of the class"
            mend = f"move {place} out of {seen.root}, and name it by --reg"
            yield Finding("class-pictures", Severity.WARNING, what, mend, (place,))
        elif first in _NOT_LEARNED:
            what = f"{count(held, 'picture')} in {folder} are learned; by its name a training has written them"
            yield Finding("drawn-pictures", Severity.WARNING, what, f"move {folder} out of {seen.root}", (folder,))


def _with_pictures(seen: Seen) -> list[Path]:
    return sorted({one.path.parent for one in seen.pictures})


def _error(code: str, what: str, mend: str, which: Sequence[Path] = ()) -> Finding:
    return Finding(code, Severity.ERROR, what, mend, tuple(which))
