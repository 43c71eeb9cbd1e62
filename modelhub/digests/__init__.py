"""The names that the world gives to a file's bytes, all taken in one pass.

A LoRA keeps its AutoV3 when its metadata is edited; the others change. AutoV1 collides for merges, so it finds
candidates and proves nothing. AutoV2 and AutoV1 come free with sha256; AutoV3 is a second sha256 over nearly all
bytes, and BLAKE3 about a third of one, so on a machine whose cores are busy each costs its share.

A second thread reads ahead while this one hashes (hashlib, blake3 and reading let other threads run), and AutoV3 and
BLAKE3 have threads of their own: with a free core for each, all of it takes as long as OpenSSL's sha256 alone. Several
files have a core each instead, without reading ahead. Files are read, not mapped, since a mapped file that is cut
short kills the process.
"""

import hashlib
import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import BinaryIO

from blake3 import blake3

from modelhub.digests._lanes import Lane, reading, updating
from modelhub.errors import BrokenFile, MissingFile, ModelHubError
from modelhub.fingerprint import Fingerprint, fingerprint
from modelhub.headers import folder_files
from modelhub.jobs import Cancel, Done, Job, Progress, drain
from modelhub.kinds import Kind

__all__ = ["ALGORITHMS", "CHEAP", "Hashed", "autov1", "digest_file", "file_digests", "hash_files", "usual"]

CHEAP = ("sha256", "autov1", "autov2")
"""One sha256 over the file: enough for what is never named by its AutoV3."""
ALGORITHMS = (*CHEAP, "autov3")
"""What is computed unless others are asked for; ``blake3`` is the other one there is."""

_BULKY = (Kind.CHECKPOINT, Kind.UNET, Kind.TEXT_ENCODER, Kind.TAGGER, Kind.CAPTIONER, Kind.IMAGE_ENCODER)
"""Nobody names these by their AutoV3, which would take as long again."""
_APART = ("autov3", "blake3")
"""What gets a thread of its own."""
_WORTH_THREADS = 1 << 23
"""Bytes: a smaller file is read before a thread has begun."""
_NEWS = 1 << 25
"""Bytes between two events."""
_OWN_BAR = 1 << 27
"""Bytes: smaller ones of many files only show in the sum."""
_AUTOV1 = range(0x100000, 0x110000)
"""The 64 KiB at 1 MiB that the oldest webui model hash covers."""


def usual(kind: Kind) -> tuple[str, ...]:
    """The digests that people name a model of this kind by."""
    return CHEAP if kind in _BULKY else ALGORITHMS


def autov1(path: Path) -> str | None:
    """Of a file, without reading the rest of it; None for one that ends before its window."""
    with path.open("rb") as file:
        file.seek(_AUTOV1.start)
        window = file.read(len(_AUTOV1))
    return hashlib.sha256(window).hexdigest()[:8] if window else None


def file_digests(path: Path) -> Mapping[str, str]:
    """Every digest of `path` by algorithm, in lower-case hex; see `digest_file`."""
    return drain(digest_file(path))


def digest_file(
    path: Path, *, algorithms: Collection[str] = ALGORITHMS, threads: bool = True, cancel: Cancel | None = None
) -> Job[Mapping[str, str]]:
    """Hash a file: ``sha256`` (64 digits), ``autov1`` (8), ``autov2`` (10), ``autov3`` (12, safetensors), ``blake3``.

    AutoV1 is left out of a file that ends before its window, where everybody has the digest of nothing. A model
    folder has a ``sha256`` only: that of the lines ``path\\0sha256\\n`` of its files, by sorted relative path. Without
    `threads` all is done in this one, which is best where other files are hashed at the same time. Raises
    `MissingFile`, and `BrokenFile` for a file that changes meanwhile.
    """
    if path.is_dir():
        yield from _folder(path, threads=threads, cancel=cancel)
        return
    try:
        file = path.open("rb", buffering=0)
    except FileNotFoundError:
        raise MissingFile(f"{path}: there is no such file") from None
    with file:
        before = os.fstat(file.fileno())
        digester = _Digester(_lanes(file, algorithms))
        ahead = threads and before.st_size > _WORTH_THREADS
        with reading(file, ahead=ahead) as chunks, updating(digester.lanes, apart=_APART if ahead else ()) as update:
            told = 0
            for chunk in chunks:
                if cancel:
                    cancel.check()
                update(chunk, digester.position)
                digester.position += chunk.nbytes
                if digester.position - told >= _NEWS:
                    told = digester.position
                    yield Progress(path.name, told, before.st_size, "B")
        after = os.fstat(file.fileno())
    if (digester.position, after.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
        raise BrokenFile(path, "it changed while it was read", mend="try again when nothing writes to it")
    yield Progress(path.name, before.st_size, before.st_size, "B")
    yield Done(digester.digests(algorithms))


@dataclass(frozen=True, slots=True)
class Hashed:
    """One file of several is done."""

    path: Path
    seen: Fingerprint | None
    """The file that the digests are of; None when it could not be read."""
    digests: Mapping[str, str] = field(default_factory=dict)
    error: ModelHubError | None = None


def hash_files(
    paths: Sequence[Path],
    *,
    algorithms: Callable[[Path], Collection[str]] = lambda _: ALGORITHMS,
    workers: int | None = None,
    cancel: Cancel | None = None,
) -> Iterator[Progress | Hashed]:
    """Hash several files at once, one a core, and give a `Hashed` as soon as each is done.

    A bar for each big file, and one for ``all``. What fails stops no other file; closing the iterator stops the work.
    """
    cores = workers or os.cpu_count() or 1
    shared, stop, news = min(cores, len(paths)), Cancel(), SimpleQueue[Progress | Hashed | Exception]()
    sizes = {path: _size(path) for path in paths}

    def work(path: Path) -> None:
        try:
            for event in _hashed(path, algorithms(path), threads=2 * shared <= cores, cancel=stop):
                news.put(event)
        except Exception as error:  # handed over, and raised in the thread that waits
            news.put(error)

    with ThreadPoolExecutor(max(shared, 1), thread_name_prefix="hash") as pool:
        try:
            for path in sizes:
                pool.submit(work, path)
            yield from _merged(news, sizes, cancel)
        finally:
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)


def _hashed(path: Path, algorithms: Collection[str], *, threads: bool, cancel: Cancel) -> Iterator[Progress | Hashed]:
    try:
        seen = fingerprint(path)
        for event in digest_file(path, algorithms=algorithms, threads=threads, cancel=cancel):
            if isinstance(event, Progress):
                if seen.size >= _OWN_BAR:
                    yield event
            elif isinstance(event, Done):
                if fingerprint(path) != seen:
                    raise BrokenFile(path, "it changed while it was read", mend="try again when nothing writes to it")
                yield Hashed(path, seen, event.result)
    except ModelHubError as error:
        yield Hashed(path, None, error=error)
    except OSError as error:
        yield Hashed(path, None, error=BrokenFile(path, f"it cannot be read ({error.strerror})"))


def _merged(
    news: "SimpleQueue[Progress | Hashed | Exception]", sizes: Mapping[Path, int], cancel: Cancel | None
) -> Iterator[Progress | Hashed]:
    """What the workers tell, with the sum over all files, until each is done."""
    total, finished, waiting = sum(sizes.values()), 0, len(sizes)
    under_way: dict[str, float] = {}
    while waiting:
        if cancel:
            cancel.check()
        try:
            event = news.get(timeout=0.2)
        except Empty:
            continue
        if isinstance(event, Exception):
            raise event
        if isinstance(event, Hashed):
            waiting -= 1
            finished += sizes[event.path]
            under_way.pop(event.path.name, None)
        else:
            under_way[event.task] = event.done
        yield event
        yield Progress("all", min(finished + sum(under_way.values()), total), total, "B")


def _size(path: Path) -> int:
    try:
        return fingerprint(path).size
    except (ModelHubError, OSError):
        return 0


def _folder(path: Path, *, threads: bool, cancel: Cancel | None) -> Job[Mapping[str, str]]:
    lines = []
    for file in folder_files(path):
        for event in digest_file(file, algorithms=("sha256",), threads=threads, cancel=cancel):
            if isinstance(event, Done):
                lines.append(f"{file.relative_to(path).as_posix()}\0{event.result['sha256']}\n")
            else:
                yield event
    yield Done({"sha256": hashlib.sha256("".join(sorted(lines)).encode()).hexdigest()})


# One pass, several digests


def _lanes(file: BinaryIO, algorithms: Collection[str]) -> Mapping[str, Lane]:
    prefix = file.read(9)
    file.seek(0)
    lanes = {"sha256": Lane(hashlib.sha256())} if {"sha256", "autov2"} & set(algorithms) else {}
    if "autov1" in algorithms:
        lanes["autov1"] = Lane(hashlib.sha256(), _AUTOV1.start, _AUTOV1.stop)
    if "autov3" in algorithms and prefix[8:] == b"{":
        lanes["autov3"] = Lane(hashlib.sha256(), 8 + int.from_bytes(prefix[:8], "little"))
    if "blake3" in algorithms:
        lanes["blake3"] = Lane(blake3())
    return lanes


class _Digester:
    def __init__(self, lanes: Mapping[str, Lane]) -> None:
        self.position = 0
        """Bytes seen so far."""
        self.lanes = lanes

    def digests(self, algorithms: Collection[str]) -> Mapping[str, str]:
        found = {name: lane.digest.hexdigest() for name, lane in self.lanes.items()}
        found["autov2"] = found.get("sha256", "")[:10]
        for name, digits in (("autov1", 8), ("autov3", 12)):
            found |= {name: found[name][:digits]} if name in found else {}
        if self.position <= _AUTOV1.start:
            found.pop("autov1", None)
        return {name: value for name, value in found.items() if name in algorithms}
