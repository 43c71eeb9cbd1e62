"""What the user says of downloads reaches the engine, and which hubs know us."""

from pathlib import Path

from modelhub.hubs import Access, with_tokens
from modelhub.network import Network
from modelhub.settings import HubSettings
from modelhub.tokens import TokenStore
from modelhub.transfer import Pace


def test_the_pace_is_as_the_settings_say(tmp_path: Path) -> None:
    with Network() as network:
        access = Access(network, TokenStore({}, tmp_path), HubSettings(rate=5e6, at_once=2, connections=3))

    assert access.pace == Pace(bytes_per_second=5e6, at_once=2, ranges=3)


def test_hubs_that_know_us_are_those_with_a_token(tmp_path: Path) -> None:
    with Network() as network:
        access = Access(network, TokenStore({"CIVITAI_TOKEN": "sentinel"}, tmp_path), HubSettings())

    assert with_tokens(access) == {"civitai"}
