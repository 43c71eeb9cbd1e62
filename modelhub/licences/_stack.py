"""What a stack of models allows, and what one model allows of which several tell (pure)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from modelhub.errors import BadValue, LicenceForbids
from modelhub.licences._terms import BURDENS, QUESTIONS, UNKNOWN, Answer, Licence

__all__ = ["REQUIREMENTS", "Named", "Requirement", "Verdict", "agreed", "bound_by", "check", "combined", "requirement"]
__all__ += ["strictures", "unmet"]


@dataclass(frozen=True, slots=True)
class Named:
    """A model and its licence."""

    model: str
    """What to call it in a message and in a command: a catalog ID with its name, or a hub's address."""
    licence: Licence


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a stack of models allows together."""

    licence: Licence
    """The strictest answer to each question."""
    decided_by: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Question -> the models that give its answer, where others would be freer."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """What a person asks of a licence."""

    question: str
    answer: Answer
    denied: str
    """For people, of a model whose licence says the opposite."""


REQUIREMENTS: Mapping[str, Requirement] = {
    "commercial": Requirement("sell_images", Answer.YES, "does not let pictures made with it be sold"),
    "service": Requirement("use_commercially", Answer.YES, "does not let it be run as a service"),
    "credit-free": Requirement("must_credit", Answer.NO, "asks for its author's name"),
    "derivatives": Requirement("merge", Answer.YES, "does not let models be derived from it"),
}


def requirement(name: str) -> Requirement:
    """The one of that name; raises `BadValue` naming those there are."""
    if name not in REQUIREMENTS:
        raise BadValue(f"{name!r} is nothing that licences are asked for", mend=f"one of {', '.join(REQUIREMENTS)}")
    return REQUIREMENTS[name]


def check(require: str, models: Sequence[Named]) -> None:
    """Raises `LicenceForbids` naming the models that forbid what is required, or are not known to allow it."""
    asked = requirement(require)
    refused = unmet(require, models)
    if refused:
        told = "; ".join(_refusal(one, asked) for one in refused)
        raise LicenceForbids(f"{require} use is required, and {told}", mend=_mend(refused))


def unmet(require: str, models: Sequence[Named]) -> tuple[Named, ...]:
    """The models that do not give what is required; raises `BadValue` for what nobody can require."""
    asked = requirement(require)
    return tuple(one for one in models if one.licence.answer(asked.question) != asked.answer)


def combined(models: Sequence[Named]) -> Verdict:
    """The strictest answer to each question: a no stays no, and one unknown makes every yes unknown."""
    answers = {one: _strictest(one, [named.licence for named in models]) for one in QUESTIONS}
    decided = {
        question: tuple(named.model for named in models if named.licence.answer(question) == answer)
        for question, answer in answers.items()
        if any(named.licence.answer(question) != answer for named in models)
    }
    return Verdict(_told([named.licence for named in models], answers), decided)


def agreed(tellings: Sequence[Licence]) -> Licence:
    """One model's licence, as several tell of it: silence is no answer, and where two differ the stricter counts."""
    answers = {one: _strictest(one, tellings, heed_silence=False) for one in QUESTIONS}
    return _told(tellings, answers)


def bound_by(licence: Licence, base: Licence) -> Licence:
    """A model's licence under that of its base: nobody allows more than the base does, or frees of its burdens."""
    answers = {one: _strictest(one, [licence, base]) for one in QUESTIONS if one not in BURDENS}
    burdens = {one: _strictest(one, [licence, base], heed_silence=False) for one in BURDENS}
    return _told([licence, base], answers | burdens)


def strictures(licence: Licence) -> Licence:
    """Only what it forbids and demands: that much binds what is derived from its model, whoever says what of it."""
    loosened: dict[str, Any] = {one: Answer.UNKNOWN for one in QUESTIONS if licence.answer(one) != _strict(one)}
    return replace(licence, **loosened)


def _strict(question: str) -> Answer:
    return Answer.YES if question in BURDENS else Answer.NO


def _strictest(question: str, licences: Sequence[Licence], *, heed_silence: bool = True) -> Answer:
    given = {one.answer(question) for one in licences}
    free = Answer.NO if question in BURDENS else Answer.YES
    order = (_strict(question), Answer.UNKNOWN, free) if heed_silence else (_strict(question), free)
    return next((one for one in order if one in given), Answer.UNKNOWN)


def _told(licences: Sequence[Licence], answers: Mapping[str, Answer]) -> Licence:
    """The answers, under the names, addresses and reasons of those that they come from."""
    names = _distinct([one.name for one in licences])
    urls = _distinct([one.url or "" for one in licences])
    because = _distinct([reason for one in licences for reason in one.because])
    return replace(UNKNOWN, name="; ".join(names), url=next(iter(urls), None), because=because, **answers)


def _distinct(texts: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for text in texts if text))


def _refusal(one: Named, asked: Requirement) -> str:
    if one.licence.answer(asked.question) is Answer.UNKNOWN:
        return f"whether {one.model} allows it is not known"
    under = f" ({one.licence.name})" if one.licence.name else ""
    return f"the licence of {one.model}{under} {asked.denied}"


def _mend(refused: Sequence[Named]) -> str:
    return f"modelhub licence {' '.join(one.model.split()[0] for one in refused)}"
