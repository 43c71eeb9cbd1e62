"""A Civitai on loopback, and the client that asks it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from modelhub.hubs import Access
from modelhub.hubs.civitai._client import Civitai as Client
from modelhub.network import Network
from modelhub.tokens import TokenStore
from tests.servers.civitai import Civitai

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def hub() -> Iterator[Civitai]:
    with Civitai() as running:
        yield running


@pytest.fixture
def network() -> Iterator[Network]:
    with Network(allow=("127.0.0.1",), sleep=lambda _: None) as opened:
        yield opened


@pytest.fixture
def client(hub: Civitai, network: Network, tmp_path: Path) -> Client:
    """Without a token."""
    return asking(hub, network, tmp_path)


def asking(hub: Civitai, network: Network, folder: Path, token: str = "") -> Client:
    """A client with that token, on a day that never changes."""
    store = TokenStore({"CIVITAI_TOKEN": token} if token else {}, folder)
    return Client(Access(network, store, hub.settings), now=lambda: NOW, sleep=lambda _: None)
