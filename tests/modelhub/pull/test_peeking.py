"""A model is identified by a few bytes from its beginning, before it is fetched."""

from collections.abc import Callable
from pathlib import Path

import pytest

from modelhub.errors import BrokenFile, ModelHubError, Unreachable
from modelhub.hubs import Access, Listing, connect, parse
from modelhub.kinds import Facts, Kind
from modelhub.pull import peek
from tests import tables
from tests.servers.civitai import Civitai
from tests.servers.faults import ignored_range, status

Offered = Callable[..., str]


@pytest.fixture
def peeked(access: Access) -> Callable[[str], Facts | None]:
    def peeked(ref: str) -> Facts | None:
        hub = connect(parse(ref).hub, access)
        listing: Listing = hub.listings(parse(ref))[0]
        return peek(listing, hub=hub, network=access.network)

    return peeked


def test_a_few_bytes_tell_what_it_is(
    hub: Civitai, offered: Offered, peeked: Callable[[str], Facts | None], tmp_path: Path
) -> None:
    large = tables.write(tmp_path / "large.safetensors", tables.tiny_lora(rank=128)).read_bytes()
    facts = peeked(offered(large))
    assert facts
    assert (facts.kind, facts.family, facts.rank) == (Kind.LORA, "sd1", 128)
    assert [one.headers["Range"] for one in hub.storage.requests] == ["bytes=0-65535"]


def test_a_long_header_is_fetched_to_its_end(
    hub: Civitai, offered: Offered, peeked: Callable[[str], Facts | None], tmp_path: Path
) -> None:
    path = tables.write(tmp_path / "long.safetensors", tables.tiny_lora(), {"ss_tag_frequency": "x" * 100_000})
    facts = peeked(offered(path.read_bytes()))
    assert facts
    assert facts.kind is Kind.LORA
    assert len(hub.storage.requests) == 2


def test_a_server_that_knows_no_ranges_is_read_from_the_beginning(
    hub: Civitai, offered: Offered, peeked: Callable[[str], Facts | None], content: bytes
) -> None:
    ref = offered(content)
    hub.storage.faults.append(ignored_range)
    facts = peeked(ref)
    assert facts
    assert facts.kind is Kind.LORA


@pytest.mark.parametrize(("fault", "error"), [(status(503), Unreachable), (status(404), ModelHubError)])
def test_a_storage_that_fails_is_an_error(
    hub: Civitai,
    offered: Offered,
    peeked: Callable[[str], Facts | None],
    content: bytes,
    fault: Callable[..., None],
    error: type[ModelHubError],
) -> None:
    ref = offered(content)
    hub.storage.faults.append(fault)
    with pytest.raises(error):
        peeked(ref)


def test_a_header_that_contradicts_itself_is_broken(
    offered: Offered, peeked: Callable[[str], Facts | None], content: bytes
) -> None:
    with pytest.raises(BrokenFile):
        peeked(offered(content[:-4]))


@pytest.mark.parametrize("content", [b"\xff" * 8 + b"{", b"<html>"])
def test_what_has_no_such_header_is_not_told(
    offered: Offered, peeked: Callable[[str], Facts | None], content: bytes
) -> None:
    assert peeked(offered(content)) is None


def test_other_formats_are_not_asked_for(
    hub: Civitai, offered: Offered, peeked: Callable[[str], Facts | None], content: bytes
) -> None:
    assert peeked(offered(content, name="kip.ckpt")) is None
    assert not hub.storage.requests


def test_a_folder_of_this_machine_needs_no_network(peeked: Callable[[str], Facts | None], tmp_path: Path) -> None:
    path = tables.write(tmp_path / "nas" / "kip.safetensors", tables.tiny_lora())
    facts = peeked(f"folder:{path}")
    assert facts
    assert facts.kind is Kind.LORA
