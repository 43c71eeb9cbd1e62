"""What becomes of a caption, before anything is written (pure)."""

from pathlib import Path

from trainers.captioning.nouns import Change, Outcome, Writing
from trainers.captioning.rules import Rules
from trainers.captioning.tags import added

__all__ = ["Held", "decided", "is_asked"]

Held = tuple[Path, str | None]
"""Where a picture's caption stands, or would; and what it says, None where there is no file."""


def is_asked(before: str | None, writing: Writing) -> bool:
    """Whether a caption may change, so that a model need be asked."""
    return before is None or writing.append or writing.overwrite


def decided(picture: Path, held: Held, words: str | None, rules: Rules, writing: Writing) -> Change:
    """`words` are what was found to say, or None where only the rules change what is there."""
    file, before = held
    after = _after(before, words, rules, writing)
    return Change(picture, file, before, after or None, _outcome(before, after, writing))


def _after(before: str | None, words: str | None, rules: Rules, writing: Writing) -> str:
    if before and writing.append:
        return rules.placed("\n".join(added(line, rules.cleaned(words or "")) for line in before.split("\n")))
    return rules.applied((before or "") if words is None else words)


def _outcome(before: str | None, after: str, writing: Writing) -> Outcome:
    if after == (before or ""):
        return "nothing" if before is None else "same"
    return "written" if is_asked(before, writing) else "kept"
