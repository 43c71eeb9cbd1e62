"""Feeds several digests with one reading of a file: a thread reads ahead, and digests may have threads of their own."""

import threading
from collections.abc import Callable, Collection, Generator, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any, BinaryIO

__all__ = ["Lane", "reading", "updating"]

_CHUNK = 1 << 21
"""Bytes. Measured: from 1 to 4 MiB are alike, less is lost in hand-overs, more falls out of the cache."""
_CHUNKS_AHEAD = 3


@dataclass(slots=True)
class Lane:
    """A digest over the bytes from `start` on."""

    digest: Any
    start: int = 0
    stop: int | None = None

    def update(self, chunk: memoryview, position: int) -> None:
        """`chunk` stands at `position` in the file."""
        stop = None if self.stop is None else max(0, self.stop - position)
        if (part := chunk[max(0, self.start - position) : stop]).nbytes:
            self.digest.update(part)


@contextmanager
def updating(lanes: Mapping[str, Lane], *, apart: Collection[str]) -> Iterator[Callable[[memoryview, int], None]]:
    """How to feed a chunk at a position to all lanes, which are done with it on return; those `apart` have threads."""
    elsewhere = [lane for name, lane in lanes.items() if name in apart]
    here = [lane for name, lane in lanes.items() if name not in apart]
    with ThreadPoolExecutor(max(len(elsewhere), 1), thread_name_prefix="digest") as pool:

        def update(chunk: memoryview, position: int) -> None:
            begun: list[Future[None]] = [pool.submit(lane.update, chunk, position) for lane in elsewhere]
            for lane in here:
                lane.update(chunk, position)
            for each in begun:
                each.result()

        yield update


@contextmanager
def reading(file: BinaryIO, *, ahead: bool) -> Iterator[Iterator[memoryview]]:
    """The file's chunks; each is overwritten some time after the next one was asked for."""
    with closing(_read_ahead(file) if ahead else _read(file)) as chunks:
        yield chunks


def _read(file: Any) -> Generator[memoryview, None, None]:
    buffer = memoryview(bytearray(_CHUNK // 2))
    while count := file.readinto(buffer):
        yield buffer[:count]


def _read_ahead(file: Any) -> Generator[memoryview, None, None]:
    free, full = SimpleQueue[bytearray | None](), SimpleQueue[tuple[bytearray, int] | BaseException]()
    for _ in range(_CHUNKS_AHEAD):
        free.put(bytearray(_CHUNK))

    def read() -> None:
        try:
            while (buffer := free.get()) is not None:
                full.put((buffer, count := file.readinto(buffer)))
                if not count:
                    return
        except BaseException as error:  # handed over, and raised where the chunk is wanted
            full.put(error)

    reader = threading.Thread(target=read, name="read ahead", daemon=True)
    reader.start()
    try:
        while True:
            chunk = full.get()
            if isinstance(chunk, BaseException):
                raise chunk
            buffer, count = chunk
            if not count:
                return
            yield memoryview(buffer)[:count]
            free.put(buffer)
    finally:
        free.put(None)
        reader.join()
