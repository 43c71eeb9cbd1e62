"""What every hub promises to those who pull from it, whichever it is: a new member of `modelhub.hubs` is tested by
giving it a stage here, on which it offers one model with a hostile title.
"""

import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelhub import hubs
from modelhub.errors import AccessDenied, BadValue, NotOffered
from modelhub.hubs import Access, Account, Hub, HubRef, Listing, RemoteFile, Search
from modelhub.jobs import Done
from modelhub.network import Network
from modelhub.settings import HubSettings
from modelhub.tokens import TokenStore
from modelhub.transfer import Pace, Received, Wanted, fetch
from modelhub.words.file_names import safe_name, safe_path
from tests.servers.civitai import Civitai
from tests.servers.huggingface import HuggingFace
from tests.servers.storage import Storage

_BEGINNINGS = ("", "hf:", "hf://", "civitai:", "civitai:hash:", "folder:", "file:", "urn:air:", "https://", "https://[")
_BEGINNINGS += ("https://civitai.com/models/", "https://civitai.com/api/download/models/", "https://huggingface.co/")
CONTENT = struct.pack("<Q", 2) + b"{}" + b"weights" * 100
_EVIL = "ki\x1b[31mp\u202e"


@dataclass
class Stage:
    """A hub that offers one model of a single file, and is asked through `network`."""

    hub: Hub
    network: Network
    offered: HubRef
    missing: HubRef
    withdraw: Callable[[], object]
    """Take it all away, as its author may."""


@contextmanager
def _civitai(folder: Path) -> Iterator[tuple[HubSettings, HubRef, HubRef, Callable[[], object]]]:
    with Civitai() as server:
        model = server.model(name=_EVIL, description=f"<p>{_EVIL}</p>", tags=[_EVIL], creator={"username": _EVIL})
        server.version(model, name=_EVIL, trainedWords=[_EVIL], files=[server.file(CONTENT, name="con.safetensors")])
        yield server.settings, HubRef("civitai", str(model["id"])), HubRef("civitai", "77"), server.models.clear


@contextmanager
def _huggingface(folder: Path) -> Iterator[tuple[HubSettings, HubRef, HubRef, Callable[[], object]]]:
    with HuggingFace() as server:
        card = {"license": _EVIL, "instance_prompt": _EVIL, "base_model": _EVIL}
        files = {"aux/con.safetensors": CONTENT, "../evil.safetensors": CONTENT, "a\x1b.safetensors": CONTENT}
        server.put("kip/styles", dict(files), card=card, tags=[_EVIL, "lora"])
        yield server.settings, HubRef("hf", "kip/styles"), HubRef("hf", "kip/none"), server.repos.clear


@contextmanager
def _folder(folder: Path) -> Iterator[tuple[HubSettings, HubRef, HubRef, Callable[[], object]]]:
    path = folder / f"{_EVIL}.safetensors"
    path.write_bytes(CONTENT)
    yield HubSettings(), HubRef("folder", str(path)), HubRef("folder", str(folder / "none.safetensors")), path.unlink


@contextmanager
def _web(folder: Path) -> Iterator[tuple[HubSettings, HubRef, HubRef, Callable[[], object]]]:
    with Storage() as server:
        headers = {"Content-Disposition": 'attachment; filename="../con\x1b.safetensors"'}
        url = server.put("get", CONTENT, etag='"one"', headers=headers)
        yield HubSettings(allow=("127.0.0.1",)), HubRef("web", url), HubRef("web", f"{url}/none"), server.files.clear


_STAGES: dict[str, Callable[[Path], AbstractContextManager[tuple[HubSettings, HubRef, HubRef, Callable[[], object]]]]]
_STAGES = {"civitai": _civitai, "folder": _folder, "hf": _huggingface, "web": _web}


@pytest.fixture(params=hubs.names())
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stage]:
    offers = tmp_path / "offers"
    offers.mkdir()
    with ExitStack() as open_until_the_end:
        settings, offered, missing, withdraw = open_until_the_end.enter_context(_STAGES[request.param](offers))
        network = open_until_the_end.enter_context(Network(allow=settings.allowed, sleep=lambda seconds: None))
        hub = hubs.connect(request.param, Access(network, TokenStore({}, tmp_path), settings))
        yield Stage(hub, network, offered, missing, withdraw)


def _fetched(stage: Stage, listing: Listing, file: RemoteFile, target: Path) -> Received:
    digest = file.digests.get("sha256")
    wanted = Wanted(file.key, target, lambda: stage.hub.locate(listing, file), file.size, digest)
    events = list(fetch(wanted, network=stage.network, pace=Pace(attempts=1)))
    assert isinstance(events[-1], Done)
    return events[-1].result


class TestEveryHub:
    def test_keeps_its_addresses_through_writing_and_reading(self, stage: Stage) -> None:
        listed = [one.ref for one in stage.hub.listings(stage.offered)]
        assert all(hubs.parse(str(ref)) == ref for ref in (stage.offered, stage.missing, *listed))

    def test_answers_an_address_with_parts_of_it(self, stage: Stage) -> None:
        assert all(stage.offered.covers(one.ref) for one in stage.hub.listings(stage.offered))

    def test_lists_nothing_that_could_harm(self, stage: Stage) -> None:
        for one in stage.hub.listings(stage.offered):
            words = (one.name, one.title, one.version, one.base, one.creator, one.gate_said, one.licence.name, one.page)
            assert all(text.isprintable() for text in (*words, *one.tags, *one.trigger_words))
            assert "\x1b" not in one.description
            assert one.name == safe_name(one.name)
            assert [file.path for file in one.files] == [safe_path(file.path) for file in one.files]

    def test_lists_the_same_files_for_the_address_that_it_gave(self, stage: Stage) -> None:
        listed = stage.hub.listings(stage.offered)
        again = [stage.hub.listings(hubs.parse(str(one.ref)))[0] for one in listed]
        assert [one.files for one in again] == [one.files for one in listed]

    def test_gives_the_bytes_that_it_lists(self, stage: Stage, tmp_path: Path) -> None:
        listing = stage.hub.listings(stage.offered)[0]
        received = _fetched(stage, listing, listing.files[0], tmp_path / "got.safetensors")
        assert received.size == (listing.files[0].size or received.size)
        assert (tmp_path / "got.safetensors").read_bytes() == CONTENT

    def test_says_what_it_does_not_offer_and_what_to_do(self, stage: Stage) -> None:
        with pytest.raises(NotOffered) as raised:
            stage.hub.listings(stage.missing)
        assert raised.value.mend

    def test_knows_an_account_or_that_there_is_none(self, stage: Stage) -> None:
        with suppress(AccessDenied):
            assert isinstance(stage.hub.account(), Account)

    def test_has_nothing_newer_than_the_newest(self, stage: Stage) -> None:
        listing = stage.hub.listings(stage.offered)[0]
        newest = stage.hub.latest([listing.ref])[listing.ref][0]
        assert (newest.ref, newest.files[0].key) == (listing.ref, listing.files[0].key)

    def test_has_nothing_at_all_of_what_was_taken_away(self, stage: Stage) -> None:
        ref = stage.hub.listings(stage.offered)[0].ref
        stage.withdraw()
        assert stage.hub.latest([ref]) == {ref: ()}

    def test_knows_only_digests_that_it_was_asked_for(self, stage: Stage) -> None:
        assert set(dict(stage.hub.by_sha256(["0" * 63 + "1"]))) <= {"0" * 63 + "1"}

    def test_finds_no_more_than_is_wanted(self, stage: Stage) -> None:
        found = list(stage.hub.search(Search("k", nsfw=True, limit=1)))
        assert len(found) <= 1
        assert all(hubs.parse(str(one.ref)) == one.ref for one in found)


@given(st.sampled_from(_BEGINNINGS), st.text())
def test_any_text_is_an_address_that_can_be_kept_or_is_refused(beginning: str, text: str) -> None:
    with suppress(BadValue):
        ref = hubs.parse(beginning + text)
        assert hubs.parse(str(ref)) == ref


def test_no_client_is_imported_before_a_hub_is_connected() -> None:
    """Importing all hubs and reading an address of each is what every command does."""
    asked = "import sys; from modelhub import hubs; hubs.parse('hf:a/b'), hubs.parse('https://h/a.pt')"
    code = f"{asked}; sys.exit(bool({{'huggingface_hub', 'requests', 'urllib3'}} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
