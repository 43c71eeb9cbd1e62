"""A HuggingFace on this machine, and ways to be its client."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from modelhub.hubs import Access, Hub
from modelhub.hubs.huggingface._client import HuggingFace as Client
from modelhub.network import Network
from modelhub.settings import HubSettings
from modelhub.tokens import TokenStore
from tests.servers.huggingface import HuggingFace


@pytest.fixture
def server() -> Iterator[HuggingFace]:
    """It knows one token, kip's."""
    with HuggingFace() as running:
        running.users["hf_sentinel"] = "kip"
        yield running


@pytest.fixture
def connect(server: HuggingFace, tmp_path: Path) -> Iterator[Callable[..., Hub]]:
    """``connect(token, settings)``."""
    with Network(allow=["127.0.0.1"], sleep=lambda seconds: None) as network:

        def to(token: str = "", settings: HubSettings = server.settings) -> Hub:
            access = Access(network, TokenStore({"HF_TOKEN": token}, tmp_path), settings)
            return Client(access, sleep=lambda seconds: None)

        yield to
