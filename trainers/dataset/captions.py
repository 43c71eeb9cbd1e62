"""A caption as one step says it (pure but for the dice it is given).

In kohya's order: prefix and suffix, dropout, a line and ``{a|b}``, what is kept, warm-up, shuffling, dropout of tags,
the secondary separator. Unlike there, prefix and suffix stand on whichever line is chosen, and a tag that holds the
trigger word is always kept.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from trainers.dataset.nouns import Sample
from trainers.recipe import CaptionOptions

__all__ = ["has_word", "in_full", "is_fixed", "said"]

_CHOICE = re.compile(r"\{([^{}|]*\|[^{}]*)\}")
"""The innermost of nested ones."""
_PLACEHOLDER = "[trigger]"
"""ai-toolkit's, for the trigger word."""


@dataclass(frozen=True, slots=True)
class _Tags:
    """A caption in its parts."""

    first: list[str]
    """Kept, in their order."""
    loose: list[str]
    last: list[str]
    """Kept, after a second keep separator."""


def said(sample: Sample, *, trigger: str, epoch: int, step: int, steps: int, chance: Random) -> str:
    """What the text encoder is given; `epoch` and `step` count from 0, `chance` throws every die."""
    options = sample.subset.captions
    if _is_left_out(options, epoch, chance):
        return ""
    line = chance.choice(sample.caption.split("\n")) if options.wildcards else sample.caption
    text = _chosen(_dressed(line, options), options, chance)
    trigger = _trigger(sample, trigger)
    if not _changes(text, options):
        return _with_trigger(text, trigger, options)
    tags = _split(text, trigger, options)
    return _joined([*tags.first, *_drawn(tags.loose, options, step, steps, chance), *tags.last], options)


def in_full(sample: Sample, trigger: str) -> str:
    """What is said of it where nothing is left out or moved: by this it is judged."""
    plain = {
        "dropout": 0.0, "dropout_every_epochs": 0, "tag_dropout": 0.0, "shuffle": False, "warmup_tags": 0,
    }  # fmt: skip
    captions = sample.subset.captions.model_copy(update=plain)
    whole = replace(sample, subset=sample.subset.model_copy(update={"captions": captions}))
    return said(whole, trigger=trigger, epoch=0, step=0, steps=1, chance=Random(0))


def is_fixed(sample: Sample, trigger: str) -> bool:
    """Whether every step says the same."""
    options, text = sample.subset.captions, _dressed(sample.caption, sample.subset.captions)
    if options.dropout or options.dropout_every_epochs:
        return False
    if options.wildcards and ("\n" in text or _CHOICE.search(text)):
        return False
    loose = _split(text, _trigger(sample, trigger), options).loose
    warms_up = options.warmup_tags and options.warmup_steps and len(loose) > options.warmup_tags
    return not (warms_up or (options.tag_dropout and loose) or (options.shuffle and len(loose) > 1))


def has_word(text: str, word: str) -> bool:
    """Whether a text says a word, or a row of words, as such and not within others; capitals do not count."""
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.IGNORECASE) is not None


def _trigger(sample: Sample, trigger: str) -> str:
    """Pictures of the class are what the trigger word does not stand for."""
    return "" if sample.subset.regularisation else sample.subset.trigger or trigger


def _is_left_out(options: CaptionOptions, epoch: int, chance: Random) -> bool:
    every = options.dropout_every_epochs
    return bool(every and (epoch + 1) % every == 0) or (options.dropout > 0 and chance.random() < options.dropout)


def _dressed(caption: str, options: CaptionOptions) -> str:
    return " ".join(part for part in (options.prefix, caption, options.suffix) if part)


def _chosen(text: str, options: CaptionOptions, chance: Random) -> str:
    """One way of every ``{a|b}``, which may hold others."""
    while options.wildcards and _CHOICE.search(text):
        text = _CHOICE.sub(lambda match: chance.choice(match[1].split("|")), text)
    return text


def _with_trigger(text: str, trigger: str, options: CaptionOptions) -> str:
    """With the trigger word where it is asked for, else before a text that lacks it."""
    if _PLACEHOLDER in text:
        text = " ".join(text.replace(_PLACEHOLDER, trigger).split())
    if not _lacks(text, trigger):
        return text
    return f"{trigger}{_glue(options)}{text}" if text else trigger


def _lacks(text: str, trigger: str) -> bool:
    return bool(trigger) and _PLACEHOLDER not in text and not has_word(text, trigger)


def _changes(text: str, options: CaptionOptions) -> bool:
    """Whether a text is more than itself: tags move or go, or marks in it mean something."""
    marks = [mark for mark in (options.keep_separator, options.secondary_separator) if mark]
    moving = options.shuffle or options.tag_dropout or (options.warmup_tags and options.warmup_steps)
    return bool(moving) or any(mark in text for mark in marks)


def _split(text: str, trigger: str, options: CaptionOptions) -> _Tags:
    """The trigger word, where it is put first, comes before those that are kept by their number."""
    keep = options.keep + _lacks(text, trigger)
    text = _with_trigger(text, trigger, options)
    if options.keep_separator and options.keep_separator in text:
        parts = [*text.split(options.keep_separator, 2), ""]
        first, loose, last = (_tags(part, options) for part in parts[:3])
    else:
        tags = _tags(text, options)
        first, loose, last = tags[:keep], tags[keep:], []
    holding = [tag for tag in loose if trigger and has_word(tag, trigger)]
    return _Tags([*first, *holding], [tag for tag in loose if tag not in holding], last)


def _tags(text: str, options: CaptionOptions) -> list[str]:
    return [tag for part in text.split(options.separator or ",") if (tag := part.strip())]


def _drawn(tags: list[str], options: CaptionOptions, step: int, steps: int, chance: Random) -> list[str]:
    """Of the loose tags, those that this step says, in its order."""
    found = tags[: _warmed(len(tags), options, step, steps)]
    if options.shuffle:
        chance.shuffle(found)
    return [tag for tag in found if not options.tag_dropout or chance.random() >= options.tag_dropout]


def _warmed(count: int, options: CaptionOptions, step: int, steps: int) -> int:
    """How many tags are said already."""
    least, last = options.warmup_tags, options.warmup_steps
    last = last * steps if last < 1 else last
    if not least or step >= last:
        return count
    return min(count, least + int(step * max(0, count - least) / last))


def _joined(tags: Sequence[str], options: CaptionOptions) -> str:
    text = _glue(options).join(tags)
    return text.replace(options.secondary_separator, _glue(options)) if options.secondary_separator else text


def _glue(options: CaptionOptions) -> str:
    separator = options.separator or ","
    return separator if separator[-1].isspace() else f"{separator} "
