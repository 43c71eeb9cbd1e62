"""A download killed at any moment is gone on with; whoever else wants the file waits; all end with one whole file."""

import hashlib
import json
import os
import random
import shutil
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

from modelhub.jobs import drain
from modelhub.network import Network
from modelhub.transfer import Located, Received, Wanted, fetch
from tests.servers.faults import slow
from tests.servers.storage import Storage

TIMES = int(os.environ.get("MODELHUB_KILLS", "4"))
SIZE, RATE = 24 << 20, 60e6
CONTENT = (1000).to_bytes(8, "little") + b"{" + random.Random(0).randbytes(SIZE - 9)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


def test_a_killed_download_ends_whole(tmp_path: Path) -> None:
    folder, chance = tmp_path / "models", random.Random(7)
    with Storage() as storage:
        wanted = wanted_at(folder, storage.put("kip.safetensors", CONTENT, etag='"one"'))
        for part in range(TIMES):
            shutil.rmtree(folder, ignore_errors=True)
            storage.always = slow(RATE, piece=1 << 20)
            moment = time.monotonic() + SIZE / RATE * (part + chance.random()) / TIMES
            kill_when(lambda moment=moment: time.monotonic() > moment, wanted)  # type: ignore[misc]
            storage.always = None
            assert brought(wanted).sha256 == SHA256
            assert [path.name for path in folder.iterdir()] == ["kip.safetensors"]
            assert (folder / "kip.safetensors").read_bytes() == CONTENT


def test_what_came_before_a_kill_is_of_use(tmp_path: Path) -> None:
    journal = tmp_path / "kip.safetensors.part.json"
    with Storage() as storage:
        wanted = wanted_at(tmp_path, storage.put("kip.safetensors", CONTENT, etag='"one"'))
        storage.always = slow(SIZE, piece=1 << 20)
        kill_when(lambda: journal.exists() and json.loads(journal.read_text())["flushed"] > 0, wanted)
        storage.always = None
        assert 0 < brought(wanted).fetched < SIZE
        assert storage.ranges()[-1] is not None
    assert (tmp_path / "kip.safetensors").read_bytes() == CONTENT


def wanted_at(folder: Path, url: str) -> Wanted:
    return Wanted("kip", folder / "kip.safetensors", lambda: Located(url), SIZE, SHA256)


def brought(wanted: Wanted) -> Received:
    with Network(allow=("127.0.0.1",)) as network:
        return drain(fetch(wanted, network=network))


def begun(wanted: Wanted) -> int:
    """A process of its own that fetches."""
    child = os.fork()
    if child == 0:
        try:
            brought(wanted)
        finally:
            os._exit(0)
    return child


def kill_when(ready: Callable[[], bool], wanted: Wanted) -> None:
    child = begun(wanted)
    until = time.monotonic() + 10
    while not ready() and time.monotonic() < until:
        time.sleep(0.005)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def test_two_processes_fetch_a_file_once(tmp_path: Path) -> None:
    with Storage() as storage:
        wanted = wanted_at(tmp_path, storage.put("kip.safetensors", CONTENT, etag='"one"'))
        storage.always = slow(RATE, piece=1 << 20)
        child = begun(wanted)
        while not storage.requests:
            time.sleep(0.005)
        assert brought(wanted).fetched == 0
        os.waitpid(child, 0)
        assert len(storage.requests) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["kip.safetensors"]


def test_who_waits_takes_over_from_the_dead(tmp_path: Path) -> None:
    with Storage() as storage:
        wanted = wanted_at(tmp_path, storage.put("kip.safetensors", CONTENT, etag='"one"'))
        storage.always = slow(RATE, piece=1 << 20)
        child = begun(wanted)
        while not storage.requests:
            time.sleep(0.005)
        threading.Timer(0.1, lambda: os.kill(child, signal.SIGKILL)).start()
        threading.Timer(0.2, lambda: os.waitpid(child, 0)).start()
        assert brought(wanted).sha256 == SHA256
    assert [path.name for path in tmp_path.iterdir()] == ["kip.safetensors"]
