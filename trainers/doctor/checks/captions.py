"""Captions: ones that are never read, cannot be read, say nothing, or stand beside two pictures."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from modelhub.errors import ModelHubError
from trainers.dataset.caption_files import in_lines, in_utf8, read_text
from trainers.dataset.encodings import foreign_encoding
from trainers.dataset.files import content_of
from trainers.dataset.imagefolder import FOLDER_LISTS
from trainers.dataset.nouns import Unread
from trainers.doctor.checks.masks import learned_masks
from trainers.doctor.nouns import Finding, Picture, Seen, Severity
from trainers.doctor.wording import below, count, named, quoted

__all__ = ["check"]

_ARGUMENTS = 3
"""Files that a command names one by one."""


def check(seen: Seen) -> Iterator[Finding]:
    """Those that nobody reads come first: an hour on a GPU is lost over them."""
    yield from _unread(seen)
    yield from _undecodable(seen)
    yield from _missing(seen)
    yield from _empty(seen)
    yield from _orphans(seen)
    yield from _not_there(seen)
    yield from _other_texts(seen)
    yield from _shared(seen)


def _unread(seen: Seen) -> Iterator[Finding]:
    """Pictures without a caption that is read, beside which one stands that is not."""
    by_end: dict[str, list[tuple[Picture, Path]]] = defaultdict(list)
    for one in seen.pictures:
        if one.caption_file is None and one.beside:
            by_end[_end(one.path, one.beside[0])].append((one, one.beside[0]))
    for end, found in sorted(by_end.items()):
        files = [file for _, file in found]
        options = found[0][0].subset.captions
        yield Finding(
            "caption-extension",
            Severity.ERROR,
            f"{count(len(files), 'caption')} would never be read, since "
            f"{'it ends' if len(files) == 1 else 'they end'} in {end}, and {_listed(options.extensions)} "
            f"{'is' if len(options.extensions) == 1 else 'are'} read: {named(below(seen.root, files))}",
            _renaming(files, end, options.extensions[0]),
            tuple(files),
        )


def _end(picture: Path, file: Path) -> str:
    """How a caption's name goes on where its picture's stem ends: ``.cap``, ``.png.txt``."""
    return file.name[len(picture.stem) :]


def _renaming(files: Sequence[Path], end: str, extension: str) -> str:
    folder = " ".join(quoted(each) for each in sorted({file.parent for file in files}))
    if " " in folder:
        return f"find {folder} -name '*{end}' -exec bash -c 'mv -n \"$0\" \"${{0%{end}}}{extension}\"' {{}} \\;"
    return f'for f in {folder}/*{end}; do mv -n "$f" "${{f%{end}}}{extension}"; done'


def _undecodable(seen: Seen) -> Iterator[Finding]:
    """By encoding: one command mends all that are in it."""
    by_encoding: dict[str | None, list[tuple[Picture, Unread]]] = defaultdict(list)
    for one in seen.pictures:
        if one.undecodable:
            by_encoding[_encoding(one.undecodable.path)].append((one, one.undecodable))
    for encoding, found in by_encoding.items():
        bad = [one for _, one in found]
        what = f"{count(len(bad), 'caption')} cannot be read: {named(below(seen.root, [one.path for one in bad]))}; "
        mend = bad[0].mend
        if encoding:
            mend = in_utf8(encoding, _all_of([one.path for one in bad], alone=len(by_encoding) == 1))
        paths = tuple(one.path for one, _ in found)
        yield Finding("caption-encoding", Severity.ERROR, what + bad[0].why, mend, paths)


def _encoding(file: Path) -> str | None:
    try:
        return foreign_encoding(content_of(file))
    except OSError:
        return None


def _all_of(files: Sequence[Path], *, alone: bool) -> str:
    """Caption files as arguments: many of them by their folders, where no others are to be told apart."""
    if len(files) <= _ARGUMENTS or not alone:
        return " ".join(quoted(each) for each in files)
    return " ".join(dict.fromkeys(f"{quoted(each.parent)}/*{each.suffix}" for each in files))


def _missing(seen: Seen) -> Iterator[Finding]:
    masks = {one.path for one in learned_masks(seen)}
    silent = [one for one in seen.pictures if one.caption is None and not (one.undecodable or one.beside)]
    bare = [one.path for one in silent if one.path not in masks]
    if bare and seen.orders.captioned:
        file = quoted(bare[0].with_suffix(".txt"))
        command = f"modelhub dataset caption {quoted(seen.root)} --from name"
        mend = f"write a .txt file of the same name beside each, e.g. {file}, or {command}; or name its folder 10_CLASS"
        if seen.orders.trigger:
            mend += "; or --set dataset.captions.source=none says the trigger word alone"
        if lists := [path for path in sorted(seen.root.glob("*.json*")) if path.name not in FOLDER_LISTS]:
            mend += f"; or if {lists[0].name} lists their captions, name it in place of the folder"
        what = f"{count(len(bare), 'picture')} without a caption: {named(below(seen.root, bare))}"
        yield Finding("no-caption", Severity.ERROR, what, mend, tuple(bare))


def _empty(seen: Seen) -> Iterator[Finding]:
    empty = [one.caption_file for one in seen.pictures if one.caption == "" and one.caption_file]
    if empty:
        what = f"{count(len(empty), 'caption file')} with nothing in {'it' if len(empty) == 1 else 'them'}: "
        mend = "write what the picture shows into each, or remove it where the folder's name shall count"
        yield Finding("empty-caption", Severity.WARNING, what + named(below(seen.root, empty)), mend, tuple(empty))


def _orphans(seen: Seen) -> Iterator[Finding]:
    lost = [one.path for one in seen.strays if one.looks_like == "caption"]
    if lost:
        what = f"{count(len(lost), 'caption')} without a picture of the same name: {named(below(seen.root, lost))}"
        mend = "rename it as its picture is named, or remove it"
        yield Finding("orphan-caption", Severity.WARNING, what, mend, tuple(lost))


def _other_texts(seen: Seen) -> Iterator[Finding]:
    """A second caption beside one that is read, which says something else."""
    found = [
        other for one in seen.pictures if one.caption_file for other in one.beside if _text(other, one) != one.caption
    ]
    if found:
        what = (
            f"{count(len(found), 'picture')} with a second caption that is not read: {named(below(seen.root, found))}"
        )
        mend = f"--caption-ending {found[0].suffix} reads these in place of the others"
        yield Finding("second-caption", Severity.NOTE, what, mend, tuple(found))


def _shared(seen: Seen) -> Iterator[Finding]:
    """One file beside two pictures, as ``a.png`` and ``a.jpg``: it can hardly be true of both."""
    held: dict[Path, list[Path]] = defaultdict(list)
    for one in seen.pictures:
        if one.caption_file and one.path not in held[one.caption_file]:
            held[one.caption_file].append(one.path)
    twice = {file: paths for file, paths in held.items() if len(paths) > 1}
    if twice:
        told = named(" and ".join(below(seen.root, each)) for each in twice.values())
        what = f"{count(len(twice), 'caption file')} that stand{'s' * (len(twice) == 1)} beside two pictures: {told}"
        first = next(iter(twice.values()))[1]
        new = first.with_stem(f"{first.stem}-{first.suffix[1:]}")
        mend = f"give each a name of its own: mv {quoted(first)} {quoted(new)}, with a caption"
        paths = tuple(path for each in twice.values() for path in each)
        yield Finding("shared-caption", Severity.WARNING, what, mend, paths)


def _not_there(seen: Seen) -> Iterator[Finding]:
    lost = [one.path for one in seen.strays if one.looks_like == "listed"]
    if lost:
        what = f"{count(len(lost), 'picture')} that a list names and that {'is' if len(lost) == 1 else 'are'} not "
        what += f"there: {named(below(seen.root, lost))}"
        yield Finding("listed-missing", Severity.WARNING, what, "bring them, or take out their rows", tuple(lost))


def _text(file: Path, picture: Picture) -> str | None:
    try:
        return in_lines(read_text(file), picture.subset.captions)
    except (ModelHubError, OSError):
        return None


def _listed(words: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))
