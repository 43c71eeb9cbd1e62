"""A licence as JSON holds it: in a lock file, and in what the catalog keeps of a hub's words."""

from collections.abc import Mapping
from typing import Any

from modelhub.licences._terms import QUESTIONS, Answer, Licence

__all__ = ["from_json", "to_json"]

_MAX_TEXT = 500
_MAX_REASONS = 20


def to_json(licence: Licence) -> dict[str, Any]:
    """For storing: only what is told; ``from_json(to_json(licence)) == licence``."""
    answers = {one: licence.answer(one).value for one in QUESTIONS if licence.answer(one) is not Answer.UNKNOWN}
    told = {"name": licence.name, "url": licence.url, **answers, "because": list(licence.because)}
    return {key: value for key, value in told.items() if value}


def from_json(held: object) -> Licence:
    """What `to_json` wrote, by whomever: what has not the right type counts as not told. Raises nothing."""
    told: Mapping[str, Any] = held if isinstance(held, Mapping) else {"name": held}
    answers = {one: _answer(told.get(one)) for one in QUESTIONS}
    because = told.get("because")
    reasons = because[:_MAX_REASONS] if isinstance(because, (list, tuple)) else ()
    return Licence(
        name=_text(told.get("name")) or "",
        url=_text(told.get("url")),
        because=tuple(text for one in reasons if (text := _text(one))),
        **answers,
    )


def _answer(value: object) -> Answer:
    return Answer(str(value)) if value in tuple(Answer) else Answer.UNKNOWN


def _text(value: object) -> str | None:
    return value[:_MAX_TEXT] if isinstance(value, str) and value else None
