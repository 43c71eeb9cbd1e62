"""Lengths of captions, counted by the tokenizer that training uses."""

from collections.abc import Iterator

from trainers.doctor.nouns import Finding, Seen, Severity
from trainers.doctor.wording import below, count, named

__all__ = ["check"]

_CHUNK = 75


def check(seen: Seen) -> Iterator[Finding]:
    """What is cut off, and what takes more than one pass of the text encoder."""
    counted = list(zip(seen.pictures, seen.tokens, strict=True))
    cut = [(one, tokens) for one, tokens in counted if tokens > one.subset.captions.tokens]
    if cut:
        longest = max(tokens for _, tokens in cut)
        limit = cut[0][0].subset.captions.tokens
        what = (
            f"{count(len(cut), 'caption')} longer than {limit} tokens (up to {longest}): the rest is cut off: "
            f"{named(below(seen.root, [one.path for one, _ in cut]))}"
        )
        mend = "put what matters first, or shorten them"
        if limit < 225:
            mend = f"--set dataset.captions.tokens={150 if limit == 75 and longest <= 150 else 225}; or shorten them"
        yield Finding("cut-caption", Severity.WARNING, what, mend, tuple(one.path for one, _ in cut))
    long = [(one, tokens) for one, tokens in counted if _CHUNK < tokens <= one.subset.captions.tokens]
    if long:
        over = sum(tokens > 2 * _CHUNK for _, tokens in long)
        what = (
            f"{count(len(long), 'caption')} longer than {_CHUNK} tokens, {over} of them than {2 * _CHUNK}: "
            "read here in full, in several chunks"
        )
        mend = "none is needed here; tools that stop at 75 see less of them"
        yield Finding("long-caption", Severity.NOTE, what, mend, tuple(one.path for one, _ in long))
