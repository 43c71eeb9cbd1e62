"""Several prompts in one picture: ``a fox AND a snowy wood :0.7`` (Liu et al. 2022, as webui reads it)."""

import re
from dataclasses import dataclass

__all__ = ["Part", "split_parts"]

_AND = re.compile(r"\bAND\b")
_WEIGHT = re.compile(r"\s*:\s*([-+]?(?:\d+\.?|\d*\.\d+))$")


@dataclass(frozen=True, slots=True)
class Part:
    """One of the prompts that a picture follows at once."""

    text: str
    weight: float
    """How strongly, as a multiple of the CFG scale."""


def split_parts(prompt: str) -> tuple[Part, ...]:
    """The prompts between the ANDs, each with the number behind its last colon, or 1.

    A single prompt may end in such a number too: ``a cat:1.2`` is "a cat" with 1.2 times the guidance.
    """
    return tuple(_part(text.rstrip()) for text in _AND.split(prompt))


def _part(text: str) -> Part:
    found = _WEIGHT.search(text)
    return Part(text[: found.start()], float(found[1])) if found else Part(text, 1.0)
