"""One large file over several connections, where each of them alone is slow.

The pieces are taken in order, so the file grows from its beginning as if there were one connection: journal and digest
need to know one position only, and whatever stops the work costs no more than the pieces in hand.
"""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from queue import Empty, SimpleQueue
from typing import TypeAlias

from modelhub.jobs import Cancel
from modelhub.transfer._asking import Way, ask, asked_of
from modelhub.transfer._judging import Asked, Setback, judge, strange
from modelhub.transfer._nouns import Located
from modelhub.transfer._part import Part
from modelhub.transfer._patience import pause

__all__ = ["in_pieces", "is_worth_pieces"]

_LARGEST_PIECE = 1 << 25
_CHUNK = 1 << 19
_GLANCE_SECONDS = 0.1


_Span: TypeAlias = tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Came:
    """So many more bytes of the piece that begins at `start`."""

    start: int
    count: int


def is_worth_pieces(part: Part, way: Way) -> bool:
    return way.pace.ranges > 1 and (part.total or 0) - part.position >= way.pace.large


def in_pieces(located: Located, part: Part, way: Way) -> Iterator[int]:
    """Bring all that is missing, giving the bytes that came so far, those of pieces further on too.

    The first failure ends it; the part then reaches as far as there is no gap.
    """
    assert part.total is not None
    asked = replace(asked_of(part, located), total=part.total)
    spans, news, stop = SimpleQueue[_Span](), SimpleQueue[_Came | Exception](), Cancel()
    size = min(_LARGEST_PIECE, way.pace.large // 8)
    for start in range(part.position, part.total, size):
        spans.put((start, min(start + size, part.total)))

    def work() -> None:
        try:
            _bring_pieces(located, asked, part, replace(way, cancel=stop), spans, news)
        except Exception as error:  # handed over, and raised in the thread that waits
            news.put(error)

    crew = [threading.Thread(target=work, name="piece", daemon=True) for _ in range(way.pace.ranges)]
    try:
        for thread in crew:
            thread.start()
        yield from _joined(news, part, size, way)
    finally:
        stop.set()
        for thread in crew:
            thread.join()  # nobody writes into the file any more


def _joined(news: "SimpleQueue[_Came | Exception]", part: Part, size: int, way: Way) -> Iterator[int]:
    """Follow the front: all before it lies in the file."""
    came: dict[int, int] = {}
    front = total = part.position
    while part.position < (part.total or 0):
        if way.cancel:
            way.cancel.check()
        try:
            event = news.get(timeout=_GLANCE_SECONDS)
        except Empty:
            yield total
            continue
        if isinstance(event, Exception):
            raise event
        came[event.start] = came.get(event.start, 0) + event.count
        total += event.count
        while came.get(front) == size:
            front += size
        part.grew(front + came.get(front, 0), event.count)
        yield total


def _bring_pieces(
    located: Located,
    asked: Asked,
    part: Part,
    way: Way,
    spans: "SimpleQueue[_Span]",
    news: "SimpleQueue[_Came | Exception]",
) -> None:
    buffer = memoryview(bytearray(way.bucket.portion(_CHUNK)))
    with part.path.open("r+b", buffering=0) as file:
        while True:
            try:
                start, stop = spans.get_nowait()
            except Empty:
                return
            file.seek(start)
            for count in _piece(located, replace(asked, position=start), stop, buffer, way):
                portion = buffer[:count]
                while portion:
                    portion = portion[file.write(portion) :]
                news.put(_Came(start, count))


def _piece(located: Located, asked: Asked, stop: int, buffer: memoryview, way: Way) -> Iterator[int]:
    """Fill `buffer` again and again, until the bytes before `stop` came."""
    left = stop - asked.position
    with ask(located, asked, way, stop=stop) as answer:
        if judge(answer.status, answer.headers, asked) is None or answer.status != 206:
            raise Setback(strange(asked, "does not send the part that was asked for"), tries=2)
        while left:
            count = answer.readinto(buffer[: min(left, len(buffer))])
            if way.cancel:
                way.cancel.check()
            if not count:
                raise Setback(strange(asked, "ends a part early"))
            left -= count
            yield count
            pause(way.bucket.take(count), way.clock, way.cancel)
