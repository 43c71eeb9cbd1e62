"""The owner's word on what a file is: checked against what can be, believed above all, and taken back again."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from modelhub.errors import BadValue
from modelhub.families import known
from modelhub.kinds import Facts, Kind

__all__ = ["SAYABLE", "facts_as_said", "must_be_read", "parsed"]

_PREDICTIONS = ("epsilon", "v", "edm", "edm_v", "flow")


def parsed(field: str, text: str) -> Any:
    """The value that an owner means by `text`, None for an empty one; raises `BadValue` naming those that can be."""
    if field not in SAYABLE:
        raise BadValue(f"{field!r} cannot be set", mend=f"one of: {', '.join(SAYABLE)}")
    return SAYABLE[field](text) if text else None


def must_be_read(facts: Facts, said: Mapping[str, Any]) -> bool:
    """Whether the file must be asked again: what it says of these fields is hidden by an earlier word."""
    return bool(facts.said.keys() & said.keys())


def facts_as_said(facts: Facts, said: Mapping[str, Any]) -> Facts:
    """What is known with the owner's word on top; None takes a word back, and leaves the field unknown."""
    wanted = {field: value for field, value in {**facts.said, **said}.items() if value is not None}
    if not must_be_read(facts, said):
        return facts.as_said(**{field: wanted[field] for field in said if field in wanted})
    unsaid = {field: getattr(Facts(), field) for field in facts.said}
    evidence = {field: why for field, why in facts.evidence.items() if field not in facts.said}
    return replace(facts, **unsaid, evidence=evidence).as_said(**wanted)


def _one_of(*choices: str) -> Callable[[str], str]:
    def checked(text: str) -> str:
        if text not in choices:
            raise BadValue(f"{text!r} is none of those known: {', '.join(choices)}")
        return text

    return checked


def _kind(text: str) -> Kind:
    return Kind(_one_of(*Kind)(text))


def _family(text: str) -> str:
    return _one_of(*known())(text)


def _truth(text: str) -> bool:
    return _one_of("true", "false")(text) == "true"


def _resolution(text: str) -> tuple[int, int]:
    width, cross, height = text.lower().partition("x")
    if not (cross and width.isdecimal() and height.isdecimal() and int(width) and int(height)):
        raise BadValue(f"{text!r} is no resolution", mend="write it like resolution=1024x1024")
    return int(width), int(height)


SAYABLE: Mapping[str, Callable[[str], Any]] = {
    "kind": _kind,
    "family": _family,
    "variant": str,
    "algorithm": str,
    "prediction_type": _one_of(*_PREDICTIONS),
    "zero_snr": _truth,
    "resolution": _resolution,
}
"""What an owner can say, and how each is read."""
