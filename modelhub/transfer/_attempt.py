"""One attempt at the bytes that are still missing."""

from collections.abc import Iterator

from modelhub.errors import BrokenFile
from modelhub.jobs import Notice, Progress
from modelhub.network import Answer
from modelhub.transfer._asking import Way, ask, asked_of, title
from modelhub.transfer._judging import SAY_SO, Setback, judge
from modelhub.transfer._part import Part
from modelhub.transfer._patience import pause
from modelhub.transfer._pieces import in_pieces, is_worth_pieces
from modelhub.transfer._sniffing import HEAD, complaint
from modelhub.transfer._telling import Teller

__all__ = ["attempt", "check_head"]


def attempt(part: Part, way: Way) -> Iterator[Progress | Notice]:
    """Ask where the file is now, and bring what is missing; raises `Setback` when another attempt may do better."""
    located = part.wanted.locate()
    asked = asked_of(part, located)
    may_share = is_worth_pieces(part, way) and not located.url.startswith("file:")
    with ask(located, asked, way, stop=part.total if may_share else None) as answer:
        take = judge(answer.status, answer.headers, asked)
        if take is None:
            return
        if part.position and take.start == 0:
            yield Notice(f"{title(part.wanted)}: {asked.host} sends it from its beginning again")
        part.begin(start=take.start, total=take.total, validator=take.validator, host=asked.host)
        has_proof = part.wanted.sha256 is not None or take.validator != ""
        if not (may_share and answer.status == 206 and has_proof):
            yield from _poured(answer, part, way)
            _check_length(part)
            return
    teller = Teller(title(part.wanted))
    for done in in_pieces(located, part, way):
        yield from teller.at(done, part.total)


def check_head(part: Part) -> None:
    """Raise `Setback` for a file that begins as no such file does."""
    if words := complaint(part.head(HEAD), weights=part.wanted.weights):
        raise Setback(BrokenFile(title(part.wanted), words, mend=SAY_SO), tries=2, restart=True)


def _poured(answer: Answer, part: Part, way: Way) -> Iterator[Progress]:
    """Write the body where it belongs, and tell of it now and then."""
    teller, unseen = Teller(title(part.wanted)), part.position == 0
    portion = way.bucket.portion(len(part.buffer))
    while count := answer.readinto(part.buffer[:portion]):
        if way.cancel:
            way.cancel.check()
        if part.total is not None and part.position + count > part.total:
            raise _wrong_length(part, "more")
        part.append(count)
        if unseen and part.position >= HEAD:
            check_head(part)
            unseen = False
        pause(way.bucket.take(count), way.clock, way.cancel)
        yield from teller.at(part.position, part.total)


def _check_length(part: Part) -> None:
    """A body that ended in good order is the file, or the server's file is another one."""
    if part.total is not None and part.position != part.total:
        raise _wrong_length(part, f"only {part.position:,}")


def _wrong_length(part: Part, sent: str) -> Setback:
    wrong = f"{sent} bytes came of the {part.total:,} that were promised"
    return Setback(BrokenFile(title(part.wanted), wrong, mend=SAY_SO), tries=2, restart=True)
