"""The trigger word and the tags: what is bound to what."""

from collections import Counter, defaultdict
from collections.abc import Iterator

from inference.prompt.tokenizer import tokenize
from trainers.dataset.captions import has_word
from trainers.doctor.nouns import Finding, Picture, Seen, Severity
from trainers.doctor.wording import below, count, named

__all__ = ["check", "tag_counts"]

_FEW = 5
"""Pictures below which it says nothing that all have the same tag."""
_PLACEHOLDER = "[trigger]"
"""ai-toolkit's, which becomes the trigger word."""
_TAG_WORDS = 4
"""Words that a tag has at most; longer ones are sentences."""


def tag_counts(pictures: list[Picture]) -> Counter[str]:
    """Tag -> pictures that have it, whatever its case."""
    return Counter(tag for one in pictures for tag in dict.fromkeys(map(str.casefold, one.tags)))


def check(seen: Seen) -> Iterator[Finding]:
    """The trigger first."""
    if seen.orders.trigger:
        yield from _trigger(seen, seen.orders.trigger)
    captioned = [one for one in seen.learned if one.caption_file and one.caption]
    yield from _constant(seen, captioned)
    yield from _spelled_in_two_ways(captioned)
    yield from _trigger_in_class(seen)


def _trigger(seen: Seen, trigger: str) -> Iterator[Finding]:
    captioned = [one for one in seen.learned if one.caption]
    lacking = [one for one in captioned if not has_word((one.caption or "").replace(_PLACEHOLDER, trigger), trigger)]
    within = [one.path for one in lacking if trigger.casefold() in (one.caption or "").casefold()]
    if within:
        what = (
            f"{count(len(within), 'caption')} with {trigger!r} inside another word only, which does not count: "
            f"{named(below(seen.root, within))}"
        )
        yield Finding("trigger-inside", Severity.WARNING, what, "choose another word, or edit these", tuple(within))
    if lacking and len(lacking) < len(captioned):
        what = f"{len(lacking)} of {len(captioned)} captions lack the trigger {trigger!r}: it is put before them"
        paths = tuple(one.path for one in lacking)
        yield Finding("trigger-added", Severity.NOTE, what, "none is needed", paths)
    yield from _trigger_tokens(trigger)


def _trigger_tokens(trigger: str) -> Iterator[Finding]:
    tokens = len(tokenize([trigger])[0])
    if tokens == 1 and len(trigger) > 3:
        what = f"the trigger {trigger!r} is one token, so a word that the base model knows something of"
        yield Finding(
            "trigger-known", Severity.NOTE, what, "a made-up word is learned more cleanly, e.g. one of two syllables"
        )
    elif tokens > 6:
        what = f"the trigger {trigger!r} takes {tokens} tokens of every prompt"
        yield Finding("trigger-long", Severity.NOTE, what, "a shorter word leaves more room")


def _constant(seen: Seen, captioned: list[Picture]) -> Iterator[Finding]:
    """Tags that all pictures have: what the trigger is to mean should not be said beside it."""
    if len(captioned) < _FEW:
        return
    counts = tag_counts(captioned)
    always = [
        tag
        for tag, number in counts.items()
        if number == len(captioned) and tag != seen.orders.trigger.casefold() and len(tag.split()) <= _TAG_WORDS
    ]
    if not always or len({one.caption for one in captioned}) == 1:
        return
    if seen.orders.trigger or len(always) > 1:
        what = (
            f"{count(len(always), 'tag')} in every caption: {named(always, 8)}; "
            "what they mean is learned as theirs, and not as the trigger's"
        )
        mend = "take out those that belong to what you train; leave those that you want to be able to change"
    else:
        what = f"the tag {always[0]!r} is in every caption, so it works as a trigger word"
        mend = f"--trigger {always[0]!r} keeps it in its place"
    yield Finding("constant-tag", Severity.NOTE, what, mend)


def _spelled_in_two_ways(captioned: list[Picture]) -> Iterator[Finding]:
    ways: dict[str, set[str]] = defaultdict(set)
    for tag in tag_counts(captioned):
        if len(tag.split()) <= _TAG_WORDS:
            ways[_bare(tag)].add(tag)
    twice = [" / ".join(sorted(each)) for each in ways.values() if len(each) > 1]
    if twice:
        what = f"{count(len(twice), 'tag')} spelled in two ways: {named(twice, 5)}"
        yield Finding("tag-spelling", Severity.NOTE, what, "one spelling is learned better than two")


def _bare(tag: str) -> str:
    """What two spellings of a tag have in common."""
    return tag.replace("_", "").replace("-", "").replace(" ", "").replace("\\", "").removesuffix("s")


def _trigger_in_class(seen: Seen) -> Iterator[Finding]:
    trigger = seen.orders.trigger
    found = [
        one.path
        for one in seen.pictures
        if trigger and one.subset.regularisation and has_word(one.caption or "", trigger)
    ]
    if found:
        what = (
            f"{count(len(found), 'picture')} of the class with the trigger {trigger!r} in the caption: it unlearns it"
        )
        yield Finding("trigger-in-class", Severity.WARNING, what, "take it out of them", tuple(found))
