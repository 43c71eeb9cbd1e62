"""How fast files come from a server on this machine, against curl and huggingface_hub's own download function."""

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks._figure import Figure

_BYTES = 1 << 30
_LARGER = 2
"""Times as many bytes, to see whether memory grows with them."""
_TURNS = 5
_CLIENTS = Path(__file__).with_name("_clients.py")
_MEMORY = Path("/dev/shm")


def measure() -> Iterator[Figure]:
    with tempfile.TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None) as folder:
        source, larger = _write(Path(folder) / "source.safetensors"), Path(folder) / "larger.safetensors"
        _write(Path(folder) / "small.safetensors", 1 << 20)
        with _server(Path(folder)) as origin:
            tried = _in_turn(Path(folder) / "came", f"{origin}/{source.name}")
            _write(larger, _BYTES * _LARGER)
            growth = _peak(Path(folder), f"{origin}/{larger.name}") - _peak(Path(folder), f"{origin}/{source.name}")
    ours, theirs, hashed = tried["modelhub"], tried["huggingface_hub"], tried["huggingface_hub sha256"]
    yield Figure("a download with its sha256, published", _BYTES / ours.wall / 1e9, "GB/s")
    yield Figure("the same for each second of a core", _BYTES / ours.cpu / 1e9, "GB/s")
    if curl := tried.get("curl"):
        yield Figure("curl to a file, without a digest", _BYTES / curl.wall / 1e9, "GB/s")
        yield Figure("ours / curl, by the clock", curl.wall / ours.wall, "x", at_least=0.6)
    yield Figure("ours / huggingface_hub's http_get, by the clock", theirs.wall / ours.wall, "x")
    yield Figure("ours / http_get, for each second of a core", theirs.cpu / ours.cpu, "x", at_least=2.0)
    yield Figure("ours / http_get and sha256, for each second of a core", hashed.cpu / ours.cpu, "x", at_least=2.5)
    yield Figure("ours / recv, write and OpenSSL's sha256 alone", tried["bare"].cpu / ours.cpu, "x", at_least=0.7)
    yield Figure(f"memory that {_LARGER} times the bytes cost more", growth, "MiB", at_most=64.0)


@dataclass(frozen=True, slots=True)
class _Cost:
    """Of one download by a process of its own, its start left out."""

    wall: float
    cpu: float
    """Seconds, of all its threads."""
    peak: float
    """MiB of memory."""


def _in_turn(place: Path, url: str) -> dict[str, _Cost]:
    """The least that each client cost, in turn A B A B: whatever else the machine does only adds to it."""
    names = ("modelhub", "huggingface_hub", "huggingface_hub sha256", "bare")
    runs: dict[str, Callable[[str, Path], _Cost]] = {name: partial(_client, name) for name in names}
    if shutil.which("curl"):
        runs["curl"] = _curl
    else:
        print("(curl is not installed)")
    costs: dict[str, list[_Cost]] = {name: [] for name in runs}
    for _ in range(_TURNS):
        for name, run in runs.items():
            costs[name].append(run(url, place))
            shutil.rmtree(place)
    return {name: _least(tried) for name, tried in costs.items()}


def _least(tried: list[_Cost]) -> _Cost:
    return _Cost(*(min(getattr(one, field) for one in tried) for field in ("wall", "cpu", "peak")))


def _client(name: str, url: str, place: Path) -> _Cost:
    place.mkdir()
    command = [sys.executable, str(_CLIENTS), name, url, str(place / "file.safetensors")]
    return _Cost(**json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))


def _curl(url: str, place: Path) -> _Cost:
    place.mkdir()
    command = ["curl", "--silent", "--fail", "-o", str(place / "file.safetensors"), url]
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, check=True)
    wall, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    return _Cost(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 0.0)


def _peak(folder: Path, url: str) -> float:
    try:
        return _client("modelhub", url, folder / "came").peak
    finally:
        shutil.rmtree(folder / "came")


@contextmanager
def _server(folder: Path) -> Iterator[str]:
    """A process that serves the files of `folder` as cheaply as can be."""
    command = [sys.executable, str(_CLIENTS), "serve", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        process.terminate()


def _write(path: Path, size: int = _BYTES) -> Path:
    """Random bytes behind the beginning of a safetensors header."""
    block = os.urandom(1 << 20)
    with path.open("wb") as file:
        file.write((1000).to_bytes(8, "little") + b"{" + block[9:])
        for _ in range(size // len(block) - 1):
            file.write(block)
    return path
