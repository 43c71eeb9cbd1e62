"""Questions with answers in JSON: what is read, what is asked again, and how long is waited before."""

import json
import re
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from modelhub.errors import Unreachable
from modelhub.network._answer import Answer, Reply
from modelhub.network._rules import where

__all__ = ["ATTEMPTS", "Busy", "Offline", "asked_wait", "demanded", "final", "is_passing", "may_pass", "pause", "whole"]

ATTEMPTS = 6
_LONGEST_PAUSE = 30.0
_LONGEST_WAIT = 60.0
"""Seconds; who asks for more is not waited for."""
_LARGEST = 64 << 20
_LONGEST_READING = 120.0
_SHOWN = 200
_LATER = "try again later"


class Offline(Unreachable):
    """Nothing answers at all, so that asking again at once is of no use."""


class Busy(Unreachable):
    """An answer that says: not now."""

    def __init__(self, reply: Reply, url: str, *, now: float) -> None:
        self.wait = asked_wait(reply.headers, now)
        """Seconds to wait, where it says."""
        what = "asks us to be slower" if reply.status == 429 else f"fails: status {reply.status}"
        until = "" if self.wait is None else f" in {self.wait:.0f} s"
        super().__init__(f"{where(url)} {what}", mend=f"try again{until or ' later'}")


def final(error: Unreachable) -> Unreachable:
    """`error` as one that trying again does not mend."""
    error.retryable = False
    return error


def is_passing(status: int, *, retry_429: bool) -> bool:
    """Whether the same question may soon have another answer than this one."""
    return status == 408 or status >= 500 or (status == 429 and retry_429)


def may_pass(error: Unreachable) -> bool:
    """Whether it is worth to wait a little and ask again."""
    is_too_long = isinstance(error, Busy) and (error.wait or 0) > _LONGEST_WAIT
    return error.retryable and not is_too_long and not isinstance(error, Offline)


def pause(error: Unreachable, attempt: int, chance: float) -> float:
    """Seconds to wait after failed `attempt`, counted from 0: as asked, else doubled each time, less some by chance."""
    if isinstance(error, Busy) and error.wait is not None:
        return error.wait
    return float(min(_LONGEST_PAUSE, 2.0**attempt) * (1 - chance / 2))


def whole(answer: Answer, *, hidden: str, clock: Callable[[], float]) -> Reply:
    """The whole of `answer`, without the token `hidden`, should the machine repeat it."""
    body = _read(answer, clock).decode("utf-8", errors="replace")
    text = body.replace(hidden, "...") if hidden else body
    return Reply(answer.status, answer.headers, _parsed(text), _clean(text[:_SHOWN]))


def demanded(reply: Reply, url: str) -> Reply:
    """`reply`, but `Unreachable` for a page, or anything else that is no JSON, where an answer should be."""
    if reply.status == 200 and (reply.content is None or "json" not in reply.headers.get("Content-Type", "")):
        kind = "a page" if "html" in reply.headers.get("Content-Type", "") else "what is no JSON"
        raise Unreachable(f"{where(url)} answered with {kind}", mend="try again later; look at it in a browser")
    return reply


def asked_wait(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds that a machine asks us to wait, by ``Retry-After`` or HuggingFace's ``RateLimit``."""
    said = headers.get("Retry-After", "").strip()
    if said.isdecimal():
        return float(said)
    try:
        return max(0.0, parsedate_to_datetime(said).timestamp() - now)
    except (ValueError, TypeError, OverflowError):
        until = re.search(r"\bt=(\d+)", headers.get("RateLimit", ""))
        return float(until[1]) if until else None


def _read(answer: Answer, clock: Callable[[], float]) -> bytearray:
    place, until = where(answer.url), clock() + _LONGEST_READING
    held, view = bytearray(), memoryview(bytearray(1 << 16))
    while count := answer.readinto(view):
        held += view[:count]
        if len(held) > _LARGEST:
            raise final(Unreachable(f"{place} answers with more than {_LARGEST >> 20} MB", mend=_LATER))
        if clock() > until:
            raise final(
                Unreachable(f"{where(answer.url)} takes more than {_LONGEST_READING:.0f} s to answer", mend=_LATER)
            )
    return held


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _clean(text: str) -> str:
    return "".join(char if char.isprintable() else " " for char in text).strip()
