"""Attention weights in a prompt: ``(more)``, ``[less]``, ``(this much:1.3)`` (stable-diffusion-webui's grammar)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

__all__ = ["BREAK", "Emphasis", "Run", "parse_attention", "read_runs"]

Emphasis: TypeAlias = Literal["Original", "No norm", "Ignore", "None"]
"""What becomes of weights: they count, with the mean restored or without; they do not count; brackets are text."""

BREAK = "BREAK"
"""A run of exactly this text, marked by `Run.is_break`, closes the current chunk."""

_MORE = 1.1
_LESS = 1 / 1.1
_TOKEN = re.compile(
    r"""
    \\\( | \\\) | \\\[ | \\\] | \\\\ | \\ |   # escapes; a lone backslash vanishes
    \( | \[ |
    : \s* (?P<weight> [+-]? [.\d]+ ) \s* \) |
    \) | \] |
    [^\\()\[\]:]+ | :
    """,
    re.VERBOSE,
)
_BREAK = re.compile(r"\s*\bBREAK\b\s*")


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of prompt under one weight."""

    text: str
    weight: float
    is_break: bool = False


def read_runs(prompt: str, emphasis: Emphasis) -> list[Run]:
    """A prompt's runs under one of webui's modes; under "None" not even BREAK means anything."""
    if emphasis == "None":
        return [Run(prompt, 1.0)]
    runs = parse_attention(prompt)
    return [replace(run, weight=1.0) for run in runs] if emphasis == "Ignore" else runs


def parse_attention(prompt: str) -> list[Run]:
    """Split a prompt into runs of equal weight; neighbours of equal weight are one, an empty prompt is one empty run.

    Unclosed brackets reach to the end, a closing one too many is text, and so is a malformed number such as
    ``(x:1.2.3)`` (where webui stops with a traceback).
    """
    runs: list[Run] = []
    round_starts: list[int] = []
    square_starts: list[int] = []
    for match in _TOKEN.finditer(prompt):
        token, number = match[0], _number(match["weight"])
        if token.startswith("\\"):
            runs.append(Run(token[1:], 1.0))
        elif token == "(":
            round_starts.append(len(runs))
        elif token == "[":
            square_starts.append(len(runs))
        elif number is not None and round_starts:
            _multiply(runs, round_starts.pop(), number)
        elif token == ")" and round_starts:
            _multiply(runs, round_starts.pop(), _MORE)
        elif token == "]" and square_starts:
            _multiply(runs, square_starts.pop(), _LESS)
        else:
            runs.extend(_with_breaks(token))
    for start in round_starts:
        _multiply(runs, start, _MORE)
    for start in square_starts:
        _multiply(runs, start, _LESS)
    return list(_merged(runs)) or [Run("", 1.0)]


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None


def _multiply(runs: list[Run], start: int, factor: float) -> None:
    """Weigh all runs from `start` on.

    A BREAK inside a weighted group stays a BREAK: webui turns it into the word, which no one wants.
    """
    for index in range(start, len(runs)):
        if not runs[index].is_break:
            runs[index] = Run(runs[index].text, runs[index].weight * factor)


def _with_breaks(text: str) -> Iterator[Run]:
    for index, part in enumerate(_BREAK.split(text)):
        if index:
            yield Run(BREAK, 1.0, is_break=True)
        if part:
            yield Run(part, 1.0)


def _merged(runs: list[Run]) -> Iterator[Run]:
    pending: Run | None = None
    for run in runs:
        if pending and run.weight == pending.weight and not (run.is_break or pending.is_break):
            pending = Run(pending.text + run.text, run.weight)
            continue
        if pending:
            yield pending
        pending = run
    if pending:
        yield pending
