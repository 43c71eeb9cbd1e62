"""A hub on this machine, and a way to pull from it in one line."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from modelhub.catalog import Catalog
from modelhub.hubs import Access, connect, parse
from modelhub.jobs import Done, Notice, drain
from modelhub.network import Network
from modelhub.pull import PullReport, Wish, holdings, plan, pull, survey
from modelhub.tokens import TokenStore
from tests import tables
from tests.servers.civitai import Civitai

Pull = Callable[..., tuple[PullReport, list[str]]]
"""References, or wishes -> what came of them, and what was told on the way."""


@pytest.fixture
def hub() -> Iterator[Civitai]:
    with Civitai() as running:
        yield running


@pytest.fixture
def access(hub: Civitai, tmp_path: Path) -> Iterator[Access]:
    with Network(allow=("127.0.0.1",)) as network:
        yield Access(network, TokenStore({}, tmp_path / "tokens"), hub.settings)


@pytest.fixture
def pulled(catalog: Catalog, access: Access) -> Pull:
    def pulled(*asked: object, nsfw: bool = False) -> tuple[PullReport, list[str]]:
        hubs = partial(connect, access=access)
        wishes = [one if isinstance(one, Wish) else Wish(parse(str(one))) for one in asked]
        offers = drain(survey(wishes, hubs=hubs))
        todo = plan(offers, held=holdings(catalog, offers))
        told = []
        for event in pull(todo, catalog=catalog, hubs=hubs, network=access.network, nsfw=nsfw):
            if isinstance(event, Notice):
                told.append(event.message)
            elif isinstance(event, Done):
                return event.result, told
        raise AssertionError("it ended without a result")

    return pulled


@pytest.fixture
def content(tmp_path: Path) -> bytes:
    """Of a small LoRA."""
    return tables.write(tmp_path / "offered" / "kip.safetensors", tables.tiny_lora()).read_bytes()


@pytest.fixture
def offered(hub: Civitai) -> Callable[..., str]:
    """Offers these bytes as a new model; returns its address."""

    def offered(content: bytes, *, name: str = "kip.safetensors", file: Any = None, **version: Any) -> str:
        model = hub.model(name="Kip the robot")
        hub.version(model, files=[hub.file(content, name=name, **(file or {}))], **version)
        return f"civitai:{model['id']}"

    return offered
