"""A storage on this machine, a file in it, and a clock on which nobody waits."""

import hashlib
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from modelhub.jobs import Done, Notice, drain
from modelhub.network import Network
from modelhub.transfer import Clock, Located, Pace, Received, Wanted, fetch
from tests.servers.storage import Storage


def weights(size: int, seed: int = 0) -> bytes:
    """Bytes that begin as a safetensors file does."""
    return (1000).to_bytes(8, "little") + b"{" + random.Random(seed).randbytes(size - 9)


CONTENT = weights(300_000)
OTHER = weights(300_000, seed=1)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@dataclass
class Sleeps:
    """A clock that goes on only while somebody sleeps."""

    seconds: float = 0.0
    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds
        self.slept.append(seconds)

    @property
    def clock(self) -> Clock:
        return Clock(now=lambda: self.seconds, sleep=self.sleep)


@dataclass
class Desk:
    """Where one file is asked for."""

    storage: Storage
    network: Network
    folder: Path
    sleeps: Sleeps = field(default_factory=Sleeps)

    @property
    def target(self) -> Path:
        return self.folder / "kip.safetensors"

    @property
    def url(self) -> str:
        return f"{self.storage.origin}/kip.safetensors"

    def offer(self, content: bytes = CONTENT, **about: object) -> None:
        self.storage.put("kip.safetensors", content, **{"etag": '"one"', **about})

    def wanted(self, *, sha256: str | None = SHA256, size: int | None = len(CONTENT), **more: object) -> Wanted:
        told = {"key": "kip", "target": self.target, "locate": lambda: Located(self.url), **more}
        return Wanted(size=size, sha256=sha256, **told)  # type: ignore[arg-type]

    def fetch(self, wanted: Wanted | None = None, pace: Pace | None = None) -> Received:
        return drain(fetch(wanted or self.wanted(), network=self.network, pace=pace, clock=self.sleeps.clock))

    def told(self, wanted: Wanted | None = None) -> tuple[list[str], Received]:
        """The notices, and what came."""
        events = list(fetch(wanted or self.wanted(), network=self.network, clock=self.sleeps.clock))
        (done,) = (event.result for event in events if isinstance(event, Done))
        return [event.message for event in events if isinstance(event, Notice)], done

    def names(self) -> list[str]:
        """All that lies in the folder."""
        return sorted(path.name for path in self.folder.iterdir())


@pytest.fixture
def storage() -> Iterator[Storage]:
    with Storage() as storage:
        yield storage


@pytest.fixture
def network() -> Iterator[Network]:
    with Network(allow=("127.0.0.1",)) as network:
        yield network


@pytest.fixture
def desk(storage: Storage, network: Network, tmp_path: Path) -> Desk:
    desk = Desk(storage, network, tmp_path / "models")
    desk.offer()
    return desk
