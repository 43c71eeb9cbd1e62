"""What a storage's answer means for a file that is half here (pure)."""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass

from modelhub.errors import AccessDenied, BrokenFile, ModelHubError, NotOffered, Unreachable
from modelhub.network import asked_wait

__all__ = ["SAY_SO", "Asked", "Setback", "Take", "judge", "strange", "strong_validator"]

_AGAIN_AND_AGAIN = {408, 425, 429}
SAY_SO = "try again; if it stays so, tell the hub that its file is not what it says"
_STUBBORN = 2
"""Attempts at what seldom mends itself: a page instead of a file, a refusal, a file that is not there."""


class Setback(Exception):
    """An attempt came to nothing, and another one may do better."""

    def __init__(
        self, error: ModelHubError, *, seconds: float | None = None, tries: int | None = None, restart: bool = False
    ) -> None:
        super().__init__(error.message)
        self.error = error
        """What to raise when there is no other attempt."""
        self.seconds = seconds
        """How long the server asks to wait."""
        self.tries = tries
        """How often in a row it may happen, if less often than other things."""
        self.restart = restart
        """Whether what came so far is of no use."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the answer is an answer to."""

    name: str
    """Of the file, for errors."""
    host: str
    position: int = 0
    """The first byte that was asked for."""
    promised: int | None = None
    """Bytes of the whole file, as the hub says."""
    total: int | None = None
    """The same, as the storage said when the bytes before `position` came."""
    validator: str = ""
    """Of the bytes before `position`."""
    is_pinned: bool = False
    """Whether a digest and a size were promised, so that bytes of another edition cannot pass in the end."""
    weights: bool = True


@dataclass(frozen=True, slots=True)
class Take:
    """The body is to be written from `start` on."""

    start: int
    total: int | None
    validator: str


def judge(status: int, headers: Mapping[str, str], asked: Asked) -> Take | None:
    """What to do with the body; None when all bytes are here already.

    Raises `Setback` when asking again may help, `NotOffered` when it will not.
    """
    if status == 416 and asked.position:
        _none_missing(headers, asked)
        return None
    if status not in (200, 206):
        raise _refused(status, headers, asked)
    if headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
        raise Setback(strange(asked, "sends it compressed, which nobody asked for"), tries=_STUBBORN)
    _no_page(headers, asked)
    return _whole(headers, asked) if status == 200 else _partial(headers, asked)


def strong_validator(headers: Mapping[str, str]) -> str:
    """An ETag that stands for these very bytes, else the time of their last change; empty for neither."""
    tag = headers.get("ETag", "").strip()
    return tag if tag.startswith('"') and len(tag) > 2 else headers.get("Last-Modified", "").strip()


def _whole(headers: Mapping[str, str], asked: Asked) -> Take:
    length = headers.get("Content-Length", "")
    total = int(length) if length.isdigit() else None
    _as_promised(total, asked)
    return Take(0, total, strong_validator(headers))


def _partial(headers: Mapping[str, str], asked: Asked) -> Take:
    found = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+|\*)", headers.get("Content-Range", "").strip())
    if not found or int(found[1]) != asked.position:
        raise Setback(strange(asked, "sends another part of it than was asked for"), tries=_STUBBORN, restart=True)
    total = asked.total if found[3] == "*" else int(found[3])
    _as_promised(total, asked)
    if asked.total is not None and total != asked.total:
        raise Setback(strange(asked, "has another file there now"), restart=True)
    return Take(asked.position, total, _kept(headers, asked))


def _as_promised(total: int | None, asked: Asked) -> None:
    if None not in (total, asked.promised) and total != asked.promised:
        wrong = f"{asked.host} sends {total:,} bytes of the {asked.promised:,} that were promised"
        raise Setback(BrokenFile(asked.name, wrong, mend=SAY_SO), tries=_STUBBORN, restart=True)


def _kept(headers: Mapping[str, str], asked: Asked) -> str:
    """The validator from now on; a storage may have several machines that tag the same bytes differently."""
    said = strong_validator(headers)
    if said and asked.validator and said != asked.validator and not asked.is_pinned:
        raise Setback(strange(asked, "has another file there now"), restart=True)
    return said or asked.validator


def _none_missing(headers: Mapping[str, str], asked: Asked) -> None:
    """The server has nothing from our position on: the file is whole, or raises since it is another one."""
    said = re.fullmatch(r"bytes \*/(\d+)", headers.get("Content-Range", "").strip())
    if not said or int(said[1]) != asked.position:
        raise Setback(strange(asked, "has another file there now"), restart=True, tries=_STUBBORN)
    _kept(headers, asked)


def _no_page(headers: Mapping[str, str], asked: Asked) -> None:
    sort = headers.get("Content-Type", "").partition(";")[0].strip().lower()
    is_page = sort in ("text/html", "application/xhtml+xml") and not asked.name.endswith((".html", ".htm"))
    if is_page or (asked.weights and (sort == "application/json" or sort.endswith("+json"))):
        raise Setback(strange(asked, "sends a page instead of it"), tries=_STUBBORN)


def _refused(status: int, headers: Mapping[str, str], asked: Asked) -> Setback | ModelHubError:
    if status in (400, 401, 403):
        denied = AccessDenied(
            f"{asked.host} does not give out {asked.name} (status {status})", mend="modelhub login, and try again"
        )
        return Setback(denied, seconds=0.0, tries=_STUBBORN)
    if status == 404:
        return Setback(_gone(asked), tries=_STUBBORN)
    if status in (410, 451):
        return _gone(asked)
    failing = strange(asked, "is overloaded" if status == 429 else f"fails (status {status})")
    if status in _AGAIN_AND_AGAIN or status >= 500:
        return Setback(failing, seconds=asked_wait(headers, time.time()))
    return Setback(failing, tries=_STUBBORN, restart=status == 416)


def strange(asked: Asked, what: str) -> Unreachable:
    """The error for a storage that does what it should not."""
    return Unreachable(f"{asked.name}: {asked.host} {what}", mend="try again later; what came so far is kept")


def _gone(asked: Asked) -> NotOffered:
    return NotOffered(f"{asked.name}: {asked.host} has it no longer", mend="modelhub search")
