"""Captions: ones that are never read, cannot be read, say nothing, or say what only prompts say."""

import re
import shlex
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from modelhub.errors import ModelHubError
from trainers.dataset.caption_files import in_lines, read_text
from trainers.doctor.nouns import Finding, Picture, Seen, Severity
from trainers.doctor.wording import below, count, named

__all__ = ["check"]

_NETWORK = re.compile(r"<(?:lora|lyco|hypernet):[^>]+>", re.IGNORECASE)
_WEIGHT = re.compile(r"\([^()]*:\s*[\d.]+\s*\)|\(\([^()]*\)\)|\[\[[^\[\]]*\]\]")
_NEGATIVE = re.compile(r"(?:^|\s)negative prompt:|(?:^|\s)steps: \d+, ", re.IGNORECASE)


def check(seen: Seen) -> Iterator[Finding]:
    """Those that nobody reads come first: an hour on a GPU is lost over them."""
    yield from _unread(seen)
    yield from _undecodable(seen)
    yield from _missing(seen)
    yield from _empty(seen)
    yield from _orphans(seen)
    yield from _other_texts(seen)
    yield from _prompts(seen)


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
    folder = " ".join(shlex.quote(str(each)) for each in sorted({file.parent for file in files}))
    if " " in folder:
        return f"find {folder} -name '*{end}' -exec bash -c 'mv -n \"$0\" \"${{0%{end}}}{extension}\"' {{}} \\;"
    return f'for f in {folder}/*{end}; do mv -n "$f" "${{f%{end}}}{extension}"; done'


def _undecodable(seen: Seen) -> Iterator[Finding]:
    bad = [one.undecodable for one in seen.pictures if one.undecodable]
    if bad:
        yield Finding(
            "caption-encoding",
            Severity.ERROR,
            f"{count(len(bad), 'caption')} cannot be read: {named(below(seen.root, [one.path for one in bad]))}; "
            f"{bad[0].why}",
            bad[0].mend,
            tuple(one.path for one in bad),
        )


def _missing(seen: Seen) -> Iterator[Finding]:
    bare = [one.path for one in seen.pictures if one.caption is None and not one.undecodable and not one.beside]
    if bare and seen.orders.captioned:
        file = shlex.quote(str(bare[0].with_suffix(".txt")))
        command = f"modelhub dataset caption {shlex.quote(str(seen.root))} --from name"
        mend = f"write a .txt file of the same name beside each, e.g. {file}, or {command}; or name its folder 10_CLASS"
        if seen.orders.trigger:
            mend += '; or source = "none" in [dataset.captions] says the trigger word alone'
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
        mend = f'list the extension that you mean first: extensions = ["{found[0].suffix}"] in [dataset.captions]'
        yield Finding("second-caption", Severity.NOTE, what, mend, tuple(found))


def _text(file: Path, picture: Picture) -> str | None:
    try:
        return in_lines(read_text(file), picture.subset.captions)
    except (ModelHubError, OSError):
        return None


def _prompts(seen: Seen) -> Iterator[Finding]:
    """What means something in a prompt and is learned as letters in a caption."""
    read = [one for one in seen.pictures if one.caption]
    networks = [one.path for one in read if _NETWORK.search(one.caption or "")]
    weights = [one.path for one in read if _WEIGHT.search(one.caption or "") and not one.subset.captions.weights]
    pasted = [one.path for one in read if _NEGATIVE.search(one.caption or "")]
    for code, found, what, mend in (
        ("prompt-parameters", pasted, "with a picture's parameters (Negative prompt:, Steps:)", "keep the prompt only"),
        ("network-tag", networks, "with <lora:...> tags, which are learned as text",
         f"sed -i -E 's/<(lora|lyco|hypernet):[^>]*>,? ?//g' {_files(read, networks)}"),
        ("prompt-weights", weights, "with weights such as (word:1.2), which are learned as text",
         "weights = true in [dataset.captions] reads them; else remove the brackets"),
    ):  # fmt: skip
        if found:
            told = f"{count(len(found), 'caption')} {what}: {named(below(seen.root, found))}"
            yield Finding(code, Severity.WARNING, told, mend, tuple(found))


def _files(read: Sequence[Picture], pictures: Sequence[Path]) -> str:
    """The caption files of pictures, as arguments."""
    files = [str(one.caption_file) for one in read if one.path in set(pictures) and one.caption_file]
    return " ".join(map(shlex.quote, files[:3])) + " ..." * (len(files) > 3)


def _listed(words: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))
