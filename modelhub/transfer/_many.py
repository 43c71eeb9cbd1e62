"""Several files at a time."""

import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TypeAlias

from modelhub.errors import ModelHubError
from modelhub.jobs import Cancel, Done, Notice, Progress
from modelhub.network import Network
from modelhub.transfer._asking import Way, title
from modelhub.transfer._bucket import Bucket
from modelhub.transfer._fetching import bring
from modelhub.transfer._nouns import Clock, Failed, Pace, Received, Wanted

__all__ = ["fetch_all"]

_News: TypeAlias = Progress | Notice | Received | Failed
_GLANCE_SECONDS = 0.2
_FAREWELL_SECONDS = 3.0
"""For the threads to write down how far they came; one that waits for a silent server is left to find out by itself."""


def fetch_all(
    wanted: Sequence[Wanted],
    *,
    network: Network,
    pace: Pace | None = None,
    cancel: Cancel | None = None,
    clock: Clock | None = None,
) -> Iterator[_News]:
    """Bring several files, a few at a time, and tell of each as soon as it is there or has failed.

    A bar for each file, and one called ``all``. What fails stops no other file; closing the iterator stops the work and
    keeps what came.
    """
    pace, clock, stop = pace or Pace(), clock or Clock(), Cancel()
    way = Way(network, pace, Bucket(pace.bytes_per_second, clock), clock, stop)
    waiting, news = SimpleQueue[Wanted](), SimpleQueue[tuple[Wanted, _News | Exception]]()
    for one in wanted:
        waiting.put(one)

    def work() -> None:
        while True:
            try:
                one = waiting.get_nowait()
                stop.check()
            except (Empty, ModelHubError):
                return
            for event in _told(one, way):
                news.put((one, event))

    threads = [threading.Thread(target=work, name="fetch", daemon=True) for _ in range(min(pace.at_once, len(wanted)))]
    try:
        for thread in threads:
            thread.start()
        yield from _merged(news, wanted, cancel)
    finally:
        stop.set()
        _part_from(threads)


def _part_from(threads: Sequence[threading.Thread]) -> None:
    until = time.monotonic() + _FAREWELL_SECONDS
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))


def _told(wanted: Wanted, way: Way) -> Iterator[_News | Exception]:
    try:
        for event in bring(wanted, way):
            if isinstance(event, Done):
                yield event.result
            elif isinstance(event, Progress | Notice):
                yield event
    except ModelHubError as error:
        yield Failed(wanted, error)
    except Exception as error:  # handed over, and raised in the thread that waits
        yield error


def _merged(
    news: "SimpleQueue[tuple[Wanted, _News | Exception]]", wanted: Sequence[Wanted], cancel: Cancel | None
) -> Iterator[_News]:
    """What the threads tell, with the sum over all files, until each is done."""
    sizes: dict[Path, float] = {one.target: one.size or 0 for one in wanted}
    done: dict[Path, float] = {}
    waiting = len(wanted)
    while waiting:
        if cancel:
            cancel.check()
        try:
            one, event = news.get(timeout=_GLANCE_SECONDS)
        except Empty:
            continue
        if isinstance(event, Exception):
            raise event
        yield event
        if isinstance(event, Notice):
            continue
        if isinstance(event, Received | Failed):
            waiting -= 1
            done[one.target] = sizes[one.target] = (
                event.size if isinstance(event, Received) else done.get(one.target, 0)
            )
        elif event.task == title(one):
            done[one.target], sizes[one.target] = event.done, event.total or sizes[one.target]
        yield Progress("all", sum(done.values()), sum(sizes.values()), "B")
