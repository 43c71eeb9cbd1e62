"""Prompts that change while a picture is drawn: ``[from:to:when]`` and ``[a|b]`` (stable-diffusion-webui's grammar)."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

__all__ = ["Span", "in_grammar", "schedule", "span_at"]

_DEEPEST = 64
"""Brackets within brackets; what is nested deeper is text."""

_NUMBER = re.compile(r"\s*([+-]?(?:\d+\.\d*|\.\d+|\d+)(?:[eE][+-]?\d+)?)\s*\]", re.ASCII)
_PLAIN = re.compile(r"(?:[^\\\[\]():|]|\\.)+")
_STRAY = "[]():"


@dataclass(frozen=True, slots=True)
class Span:
    """What the prompt is, up to and with one call of the model."""

    until: int
    """The last call that it holds for, counted as webui counts: see `schedule`."""
    text: str


@dataclass(frozen=True, slots=True)
class _Switch:
    """One text up to a call, another one after it."""

    before: "_Text"
    after: "_Text"
    when: int


@dataclass(frozen=True, slots=True)
class _Turns:
    """One text after the other, call by call."""

    options: tuple["_Text", ...]


_Text: TypeAlias = "tuple[str | _Switch | _Turns, ...]"


def schedule(prompt: str, calls: int, before: int = 0) -> tuple[Span, ...]:
    """The texts that a prompt comes to over `calls` calls of the model, in order; the last one ends there.

    The call numbered s from 0 takes the first span with s <= `until`, so ``[a:b:5]`` is a for six calls: webui
    counts so. A number with a point is a share of the calls, any other one a call. A prompt that the grammar does
    not know as a whole is one span of its own text, where brackets are attention.

    A second pass comes after a first one of `before` calls: its numbers go on from there, so that ``1.5`` is its
    middle, and what a first pass changed stays changed.
    """
    try:
        text = _Reader(prompt, calls, before).prompt()
    except _NotInGrammar:
        return (Span(calls, prompt),)
    return tuple(Span(end, "".join(_at(text, end))) for end in sorted({calls, *_ends(text, calls)}))


def in_grammar(prompt: str) -> bool:
    """Whether the grammar has a rule for the prompt as a whole; where it has none, brackets are attention alone."""
    try:
        _Reader(prompt, 1).prompt()
    except _NotInGrammar:
        return False
    return True


def span_at(spans: Sequence[Span], call: int) -> int:
    """Index of the span that a call takes, counted from 0; a call after the last one takes the first."""
    return next((index for index, span in enumerate(spans) if call <= span.until), 0)


def _ends(text: _Text, calls: int) -> Iterator[int]:
    """The last call before each change."""
    for part in text:
        if isinstance(part, _Switch):
            if part.when >= 1:
                yield part.when
            yield from _ends(part.before, calls)
            yield from _ends(part.after, calls)
        elif isinstance(part, _Turns):
            yield from range(1, calls + 1)


def _at(text: _Text, call: int) -> Iterator[str]:
    """The pieces of text at a call, counted from 1."""
    for part in text:
        if isinstance(part, str):
            yield part
        elif isinstance(part, _Switch):
            yield from _at(part.before if call <= part.when else part.after, call)
        else:
            yield from _at(part.options[(call - 1) % len(part.options)], call)


class _NotInGrammar(Exception):
    """Here stands what the grammar has no rule for."""


class _Reader:
    """Reads a prompt from left to right; a bracket that opens nothing is text, but only outside of all others."""

    def __init__(self, prompt: str, calls: int, before: int = 0) -> None:
        self._prompt = prompt
        self._calls = calls
        self._before = before
        self._at = 0

    def prompt(self) -> _Text:
        parts: list[str | _Switch | _Turns] = []
        while self._at < len(self._prompt):
            start = self._at
            try:
                parts += self._piece(0)
            except _NotInGrammar:
                self._at = start
                parts.append(self._stray())
        return tuple(parts)

    def _piece(self, depth: int) -> _Text:
        """A stretch of text, or one pair of brackets and all within."""
        if plain := _PLAIN.match(self._prompt, self._at):
            self._at = plain.end()
            return (plain[0],)
        if depth == _DEEPEST:
            raise _NotInGrammar
        if self._take("("):
            return self._round(depth + 1)
        if self._take("["):
            return self._square(depth + 1)
        raise _NotInGrammar

    def _stray(self) -> str:
        mark = self._prompt[self._at]
        if mark not in _STRAY:
            raise _NotInGrammar
        self._at += 1
        return mark

    def _text(self, depth: int) -> _Text:
        parts: list[str | _Switch | _Turns] = []
        while self._next() not in (":", "|", ")", "]", ""):
            parts += self._piece(depth)
        return tuple(parts)

    def _round(self, depth: int) -> _Text:
        """``(text)`` or ``(text:text)``: attention, kept as it is."""
        inner = self._text(depth)
        if self._take(":"):
            inner = (*inner, ":", *self._text(depth))
        self._expect(")")
        return ("(", *inner, ")")

    def _square(self, depth: int) -> _Text:
        """``[text]``, ``[a|b]``, ``[to:when]`` or ``[from:to:when]``."""
        first = self._text(depth)
        if self._take("]"):
            return ("[", *first, "]")
        if self._next() == "|":
            return (self._turns(first, depth),)
        self._expect(":")
        if number := self._number():
            return (_Switch((), first, self._when(number)),)
        second = self._text(depth)
        self._expect(":")
        if number := self._number():
            return (_Switch(first, second, self._when(number)),)
        raise _NotInGrammar

    def _turns(self, first: _Text, depth: int) -> _Turns:
        options = [first]
        while self._take("|"):
            options.append(self._text(depth))
        self._expect("]")
        return _Turns(tuple(options))

    def _number(self) -> str | None:
        """The number before a closing bracket, which is taken with it."""
        found = _NUMBER.match(self._prompt, self._at)
        if found:
            self._at = found.end()
        return found and found[1]

    def _when(self, number: str) -> int:
        done, length = (bool(self._before), self._calls) if "." in number else (self._before, 1)
        value = (float(number) - done) * length
        return int(min(max(value, 0.0), self._calls))

    def _next(self) -> str:
        return self._prompt[self._at : self._at + 1]

    def _take(self, mark: str) -> bool:
        taken = self._next() == mark
        self._at += taken
        return taken

    def _expect(self, mark: str) -> None:
        if not self._take(mark):
            raise _NotInGrammar
