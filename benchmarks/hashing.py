"""How fast files are hashed, against OpenSSL's sha256 over the same file mapped into memory."""

import hashlib
import mmap
import os
import tempfile
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from benchmarks._figure import Figure
from modelhub.digests import ALGORITHMS, CHEAP, digest_file, hash_files
from modelhub.jobs import drain

_BYTES = 320 << 20
_TURNS = 9


def measure() -> Iterator[Figure]:
    cores = os.cpu_count() or 1
    with tempfile.TemporaryDirectory() as folder:
        paths = [_write(Path(folder) / f"{index}.safetensors") for index in range(cores)]
        first = paths[0]
        openssl, cheap, usual, all_four, together = _best_in_turn(
            lambda: _mapped(first),
            lambda: _digests(first, CHEAP),
            lambda: _digests(first, ALGORITHMS),
            lambda: _digests(first, (*ALGORITHMS, "blake3")),
            lambda: list(hash_files(paths, algorithms=_cheap)),
        )
    yield Figure("OpenSSL's sha256 of a mapped file", _BYTES / openssl / 1e9, "GB/s")
    yield Figure("sha256, AutoV1, AutoV2 of one file / OpenSSL", openssl / cheap, "x", at_least=0.95)
    yield Figure("with AutoV3 as well", openssl / usual, "x")
    yield Figure("with AutoV3 and BLAKE3 as well", openssl / all_four, "x")
    yield Figure(f"{cores} files at once / one file, for each core", cheap / together, "x", at_least=0.9)
    yield Figure(f"{cores} files at once / OpenSSL, for each core", openssl / together, "x")


def _best_in_turn(*actions: Callable[[], object]) -> list[float]:
    """Fewest wall seconds of each, in turn: hashing needs every core, and the fastest turn is the least disturbed."""
    best = [float("inf")] * len(actions)
    for _ in range(_TURNS):
        for index, action in enumerate(actions):
            begun = time.perf_counter()
            action()
            best[index] = min(best[index], time.perf_counter() - begun)
    return best


def _mapped(path: Path) -> str:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return hashlib.sha256(content).hexdigest()


def _digests(path: Path, algorithms: Collection[str]) -> object:
    return drain(digest_file(path, algorithms=algorithms))


def _cheap(_: Path) -> Collection[str]:
    return CHEAP


def _write(path: Path) -> Path:
    """Random bytes behind the beginning of a safetensors header, which is all that a digest looks at."""
    block = os.urandom(1 << 20)
    with path.open("wb") as file:
        file.write((1000).to_bytes(8, "little") + b"{" + block[9:])
        for _ in range(_BYTES // len(block) - 1):
            file.write(block)
    return path
