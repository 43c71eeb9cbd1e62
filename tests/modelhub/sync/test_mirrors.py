"""Mirrors: any place that has the same bytes, tried when the hub fails."""

import hashlib
import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from modelhub.errors import AccessDenied, BrokenFile, NotOffered, Unreachable
from modelhub.hubs import Gate, HubRef, Listing, RemoteFile
from modelhub.network import Network
from modelhub.sync.lock import Locked, LockedFile
from modelhub.sync.mirrors import Sought, mirror
from modelhub.sync.pinned import Pinned, places_for
from modelhub.transfer import Located
from tests.modelhub.sync.fakes import FakeHub
from tests.servers.storage import Storage

_CONTENT = b"the bytes that are locked"
_SHA256 = hashlib.sha256(_CONTENT).hexdigest()
_REF = HubRef("civitai", "12", "34", "56")
_LOCKED = Locked("kip", HubRef("civitai", "12"), _REF, (LockedFile("k.safetensors", _SHA256, len(_CONTENT)),))
_FILE = RemoteFile("k.safetensors", "56", len(_CONTENT), digests={"sha256": _SHA256})
_LISTING = Listing(_REF, "k", (_FILE,), gate=Gate.TOKEN)
_SOUGHT = Sought(_LOCKED.listing, _FILE, _SHA256, "k")


@pytest.fixture
def network() -> Iterator[Network]:
    with Network(allow=("127.0.0.1",)) as opened:
        yield opened


def _mirror(place: object, network: Network, hub: FakeHub | None = None) -> object:
    return mirror(str(place), connect=lambda name: hub or FakeHub(), network=network)(_SOUGHT)


def test_a_folder_is_searched_for_the_bytes_under_any_name(tmp_path: Path, network: Network) -> None:
    (tmp_path / "k.safetensors").write_bytes(bytes(len(_CONTENT)))
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / "other.safetensors").write_bytes(_CONTENT)
    expected = Located((tmp_path / "deep" / "er" / "other.safetensors").as_uri())
    assert _mirror(tmp_path, network) == expected
    assert _mirror(f"folder:{tmp_path}", network) == expected


def test_a_folder_without_the_bytes_has_nothing_and_one_that_is_away_says_so(tmp_path: Path, network: Network) -> None:
    assert _mirror(tmp_path, network) is None
    with pytest.raises(NotOffered, match="is not there"):
        _mirror(tmp_path / "away", network)


def test_what_a_note_of_a_pull_says_saves_the_reading(tmp_path: Path, network: Network) -> None:
    (tmp_path / "a.safetensors").write_bytes(bytes(len(_CONTENT)))
    note = {"sha256": {"a.safetensors": _SHA256}}
    (tmp_path / "a.modelhub.json").write_text(json.dumps(note))
    assert _mirror(tmp_path, network) == Located((tmp_path / "a.safetensors").as_uri()), "the transfer will prove it"


@pytest.mark.parametrize("path", ["lora/k.safetensors", "unknown/kip.safetensors", "k.safetensors", _SHA256])
def test_a_web_folder_is_asked_by_name_and_by_digest(path: str, network: Network) -> None:
    with Storage() as storage:
        url = storage.put(f"models/{path}", _CONTENT, etag='"one"')
        storage.put("models/kip.safetensors", b"of another size")
        found = _mirror(f"{storage.origin}/models/", network)
        assert found == (None if path.startswith("lora") else Located(url))


def test_another_hub_is_asked_for_the_digest_and_a_repository_for_its_files(network: Network) -> None:
    copy = HubRef("hf", "ada/copies", "c0ffee", "c.safetensors")
    listing = Listing(copy, "c", (RemoteFile("c.safetensors", "c", len(_CONTENT), digests={"sha256": _SHA256}),))
    hub = FakeHub({copy: (listing,), HubRef("hf", "ada/copies"): (listing,)}, name="hf")
    assert _mirror("civitai", network, hub) == Located("https://hf.example/c")
    assert _mirror("hf:ada/copies", network, hub) == Located("https://hf.example/c")
    assert _mirror("civitai", network, FakeHub()) is None


def test_mirrors_of_a_longer_beginning_come_first() -> None:
    mirrors = {"*": ["all"], "civitai": ["hub"], "civitai:12": ["model", "hub"], "hf": ["other"]}
    assert places_for(_REF, mirrors) == ("model", "hub", "all")


def _pinned(hub: FakeHub, *mirrors: Located | None) -> Pinned:
    return Pinned("civitai", hub, (_LOCKED,), lambda ref: [lambda sought, one=one: one for one in mirrors])


def test_a_pinned_hub_lists_just_the_locked_bytes() -> None:
    untold = Listing(_REF, "k", (RemoteFile("k.safetensors", "56"), RemoteFile("spare.txt", "57")), title="Kip")
    found = _pinned(FakeHub({_REF: (untold,)})).listings(_REF)[0]
    assert [(one.path, one.key, one.size, one.digests["sha256"]) for one in found.files] == [
        ("k.safetensors", "56", len(_CONTENT), _SHA256)
    ]
    assert found.title == "Kip"


def test_other_bytes_under_a_locked_address_are_told_with_both_digests() -> None:
    changed = Listing(_REF, "k", (RemoteFile("k.safetensors", "56", digests={"sha256": "ff" * 32}),))
    with pytest.raises(BrokenFile) as error:
        _pinned(FakeHub({_REF: (changed,)}), Located("file:///a")).listings(_REF)
    assert _SHA256 in error.value.message
    assert "ff" * 32 in error.value.message


def test_what_is_not_locked_is_listed_as_the_hub_has_it() -> None:
    ref = HubRef("civitai", "99")
    assert _pinned(FakeHub({ref: (_LISTING,)})).listings(ref) == (_LISTING,)


@pytest.mark.parametrize("error", [Unreachable("away"), NotOffered("deleted"), AccessDenied("no token")])
def test_a_hub_that_fails_is_replaced_by_a_mirror(error: Exception) -> None:
    here = Located("file:///nas/k.safetensors")
    pinned = _pinned(FakeHub(error=error), None, here)
    listing = pinned.listings(_REF)[0]
    assert (listing.ref, listing.gate) == (_REF, Gate.OPEN)
    assert pinned.locate(listing, listing.files[0]) == here
    with pytest.raises(type(error)):
        _pinned(FakeHub(error=error)).listings(_REF)


def test_every_attempt_begins_at_another_place() -> None:
    mirrored = Located("file:///nas/k.safetensors")
    pinned = _pinned(FakeHub({_REF: (_LISTING,)}), mirrored)
    listing = pinned.listings(_REF)[0]
    own = Located("https://civitai.example/56")
    assert [pinned.locate(listing, listing.files[0]) for _ in range(3)] == [own, mirrored, own]


def test_where_nobody_has_it_the_hubs_own_error_is_told() -> None:
    hub = FakeHub({_REF: (_LISTING,)})
    pinned = _pinned(hub, None)
    listing = pinned.listings(_REF)[0]
    hub.error = AccessDenied("it needs a token")
    with pytest.raises(AccessDenied, match="needs a token"):
        pinned.locate(listing, listing.files[0])


def test_the_locked_listing_is_what_a_hub_would_say() -> None:
    locked = Locked("kip", _LOCKED.asked, _REF, _LOCKED.files, base="SD 1.5", locked_at=date(2026, 1, 1))
    assert (locked.listing.name, locked.listing.base, locked.listing.size) == ("k", "SD 1.5", len(_CONTENT))
