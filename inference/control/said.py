"""``--control canny(100,200):REF=photo.png``: one unit of control, as it is typed (no torch)."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError

from inference.control.preprocessors import find, known
from inference.request import ControlUse
from modelhub.errors import BadValue

__all__ = ["FORM", "check_control", "read_control"]

FORM = "[PREPROCESSOR[(N,...)]:]REF=IMAGE[;weight=1][;start=0][;end=1][;mode=prompt|control][;resize=stretch|fill]"

_BEGIN = re.compile(r"(?P<name>\w+)(?:\((?P<numbers>[^()]*)\))?:(?!//)")
_WORDS: Mapping[str, Callable[[str], Any]] = {"weight": float, "start": float, "end": float, "mode": str, "resize": str}


def read_control(said: str) -> ControlUse:
    """Raises `BadValue` saying what is wrong with it."""
    try:
        unit, *words = said.split(";")
        begin = _BEGIN.match(unit)
        if begin is None or (begin["name"] not in known() and begin["numbers"] is None):
            begin = None
        ref, equals, image = unit[begin.end() if begin else 0 :].partition("=")
        if not (ref and equals and image):
            raise ValueError("it names a model and a picture")
        use = ControlUse(
            ref=ref,
            image=image,
            preprocessor=begin["name"] if begin else "none",
            options=_numbers(begin["numbers"]) if begin and begin["numbers"] else (),
            **dict(_word(word) for word in words),
        )
    except ValueError as error:
        reason = error.errors()[0]["msg"].lower() if isinstance(error, ValidationError) else str(error)
        raise BadValue(f"--control {said}: {reason}", mend=f"write {FORM}") from error
    check_control(use)
    return use


def check_control(use: ControlUse) -> None:
    """Raises `BadValue` for a preprocessor that there is not, or numbers that it does not take."""
    preprocessor = find(use.preprocessor)
    if len(use.options) > len(preprocessor.numbers):
        raise BadValue(f"{preprocessor.name} takes {len(preprocessor.numbers)} numbers, not {len(use.options)}")
    for number, given in zip(preprocessor.numbers, use.options, strict=False):
        if not number.low <= given <= number.high:
            raise BadValue(f"{preprocessor.name}: {number.name} lies between {number.low:g} and {number.high:g}")
    if use.start > use.end:
        raise BadValue(f"a control that starts at {use.start:g} cannot end at {use.end:g}")


def _numbers(said: str) -> tuple[float, ...]:
    return tuple(float(one) for one in said.split(","))


def _word(said: str) -> tuple[str, Any]:
    name, _, value = said.strip().partition("=")
    if name not in _WORDS:
        raise ValueError(f"{name!r} is not known ({', '.join(_WORDS)})")
    return name, _WORDS[name](value)
