"""What captions say: words for prompts, sides that are mirrored away, and the same of every picture."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from trainers.doctor.captions import sides
from trainers.doctor.nouns import Finding, Picture, Seen, Severity
from trainers.doctor.wording import arguments, below, count, named

__all__ = ["check"]

_NETWORK = re.compile(r"<(?:lora|lyco|hypernet):[^<>]+>", re.IGNORECASE)
_WEIGHT = re.compile(r"\([^()]*:\s*[\d.]+\s*\)|\(\([^()]*\)\)|\[\[[^\[\]]*\]\]")
_NEGATIVE = re.compile(r"(?:^|\s)negative prompt:|(?:^|\s)steps: \d+, ", re.IGNORECASE)
_FEW = 5
"""Captions below which it says nothing that all are the same."""

_SHOWN = 60
"""Characters of a caption that are told."""


def check(seen: Seen) -> Iterator[Finding]:
    """What is learned as letters first."""
    yield from _prompts(seen)
    yield from _sided(seen)
    yield from _all_the_same(seen)


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
         "--set dataset.captions.weights=true reads them; else remove the brackets"),
    ):  # fmt: skip
        if found:
            told = f"{count(len(found), 'caption')} {what}: {named(below(seen.root, found))}"
            yield Finding(code, Severity.WARNING, told, mend, tuple(found))


def _files(read: Sequence[Picture], pictures: Sequence[Path]) -> str:
    """The caption files of pictures, as arguments."""
    return arguments([one.caption_file for one in read if one.path in set(pictures) and one.caption_file])


def _sided(seen: Seen) -> Iterator[Finding]:
    """Left and right in captions of pictures that are mirrored."""
    found = [one.path for one in seen.learned if one.subset.augment.flip and sides(one.caption or "")]
    if found:
        what = f"{count(len(found), 'caption')} that say{'s' * (len(found) == 1)} left or right, of pictures that flip "
        what += f"mirrors: {named(below(seen.root, found))}"
        yield Finding("sides-flipped", Severity.WARNING, what, "--no-flip, or take the sides out", tuple(found))


def _all_the_same(seen: Seen) -> Iterator[Finding]:
    """What is in no caption's own words cannot be asked for, or left out, later."""
    said = [one for one in seen.learned if one.caption_file and one.caption]
    if len(said) >= _FEW and len({one.caption for one in said}) == 1:
        what = f"all {len(said)} captions are the same: {_shortened(said[0].caption or '')}"
        mend = "say in each what shall be changeable later: pose, clothes, place"
        yield Finding("same-captions", Severity.NOTE, what, mend, tuple(one.path for one in said))


def _shortened(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}\N{HORIZONTAL ELLIPSIS}"
