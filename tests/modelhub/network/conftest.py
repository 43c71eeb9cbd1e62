"""One way out for all tests here."""

from collections.abc import Iterator

import pytest

from modelhub.network import Network


@pytest.fixture
def network() -> Iterator[Network]:
    with Network(allow=["127.0.0.1"]) as opened:
        yield opened
