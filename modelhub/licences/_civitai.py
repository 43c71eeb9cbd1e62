"""What Civitai's authors tick about their models, in the three forms in which its interface has given it (pure)."""

import re
from collections.abc import Sequence
from dataclasses import replace

from modelhub.licences._known import of_base
from modelhub.licences._stack import bound_by
from modelhub.licences._terms import QUESTIONS, Answer, Licence

__all__ = ["from_civitai"]

_LEVELS = ("image", "rentcivit", "rent", "sell")
"""Of commercial use; as a single word each implies those before it."""


def from_civitai(
    *,
    allow_no_credit: object = None,
    allow_commercial_use: object = None,
    allow_derivatives: object = None,
    allow_different_licence: object = None,
    base: str = "",
    url: str | None = None,
) -> Licence:
    """The author's answers (anything but a plain value is unknown), and what the base model's licence forbids."""
    levels = _levels(allow_commercial_use)
    under = of_base(base)
    ticked = Licence(
        url=url or (under.url if under else None),
        sell_images=_has("image", levels),
        use_commercially=_has("rent", levels),
        sell_model=_has("sell", levels),
        merge=_answer(allow_derivatives),
        relicense=_answer(allow_different_licence),
        must_credit=_opposite(_answer(allow_no_credit)),
    )
    author = f"its author lets others {_in_words(ticked)}"
    if under is None:
        about_base = f"the licence of its base {base!r} is not known here" if base else "nobody tells its base"
        return replace(ticked, because=(author, about_base))
    bound = bound_by(replace(ticked, because=(author,)), under)
    differs = any(bound.answer(one) != under.answer(one) for one in QUESTIONS)
    return replace(bound, name=f"{under.name}, own terms" if differs else under.name)


def _in_words(ticked: Licence) -> str:
    allowed = [words for question, answer, words in _ALLOWED if ticked.answer(question) is answer]
    return ", ".join(allowed) or "do nothing that was said"


_ALLOWED = (
    ("sell_images", Answer.YES, "sell pictures"),
    ("use_commercially", Answer.YES, "run it as a service"),
    ("sell_model", Answer.YES, "sell it"),
    ("merge", Answer.YES, "derive models"),
    ("relicense", Answer.YES, "put another licence on those"),
    ("must_credit", Answer.NO, "leave out the credit"),
)


def _levels(said: object) -> frozenset[str] | None:
    """What is allowed, lower case; None when nobody says."""
    if isinstance(said, str) and said.startswith("{"):  # as PostgreSQL writes an array
        return frozenset(re.findall(r"\w+", said.lower()))
    if isinstance(said, str) and said.lower() in _LEVELS:
        return frozenset(_LEVELS[: _LEVELS.index(said.lower()) + 1])
    if isinstance(said, str):
        return frozenset() if said.lower() == "none" else None
    if isinstance(said, Sequence):
        return frozenset(one.lower() for one in said if isinstance(one, str))
    return None


def _has(level: str, levels: frozenset[str] | None) -> Answer:
    if levels is None:
        return Answer.UNKNOWN
    return Answer.YES if level in levels else Answer.NO


def _answer(said: object) -> Answer:
    return {True: Answer.YES, False: Answer.NO}[said] if isinstance(said, bool) else Answer.UNKNOWN


def _opposite(answer: Answer) -> Answer:
    return {Answer.YES: Answer.NO, Answer.NO: Answer.YES}.get(answer, Answer.UNKNOWN)
