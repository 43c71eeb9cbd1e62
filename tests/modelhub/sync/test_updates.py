"""What counts as newer: the version graph, the base, the bytes."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from modelhub.catalog import Catalog
from modelhub.errors import Unreachable
from modelhub.hubs import Gate, HubRef, Listing, RemoteFile
from modelhub.jobs import Done, Notice, drain
from modelhub.kinds import Artifact, Facts, Kind, Location
from modelhub.sync import Source, State, compared, look
from modelhub.sync.updates import lies_here
from tests.modelhub.sync.contents import lora
from tests.modelhub.sync.fakes import FakeHub

_HELD = HubRef("civitai", "12", "1", "10")
_COMMIT, _NEXT = "a" * 40, "b" * 40


def _source(ref: HubRef = _HELD, *, family: str | None = "sd1", path: str = "/kip.safetensors", **said: Any) -> Source:
    place = Location(Path(path), 7, 0)
    facts = Facts(kind=Kind.LORA, family=family)
    day = datetime(2026, 1, 1, tzinfo=UTC)
    return Source(Artifact(3, "kip", facts, (place,), {"sha256": "aa" * 32}, (), (), day), ref, said)


def _listing(version: int, *, day: int | None = None, sha256: str = "", **fields: Any) -> Listing:
    file = RemoteFile(f"k{version}.safetensors", f"{version}0", digests={"sha256": sha256} if sha256 else {})
    published = datetime(2026, 2, day, tzinfo=UTC) if day else None
    told = {"kind": Kind.LORA, "family": "sd1", "base": "SD 1.5", "published_at": published, **fields}
    return Listing(HubRef("civitai", "12", str(version), f"{version}0"), "k", (file,), **told)


def _file(commit: str, path: str, sha256: str, **fields: Any) -> Listing:
    return Listing(
        HubRef("hf", "ada/bob", commit, path), "bob", (RemoteFile(path, path, digests={"sha256": sha256}),), **fields
    )


def test_a_version_published_later_is_newer_in_whatever_order_they_are_listed() -> None:
    older, newer = _listing(1, day=1), _listing(2, day=2)
    for listed in ((newer, older), (older, newer)):
        found = compared(_source(), listed)
        assert (found.state, found.newest) == (State.NEWER, newer)


def test_the_newest_is_not_behind_the_older_ones() -> None:
    source = _source(replace(_HELD, version="2", file="20"))
    assert compared(source, (_listing(2, day=2), _listing(1, day=1))).state is State.CURRENT


def test_when_the_held_version_was_deleted_its_own_date_counts() -> None:
    source = _source(published_at="2026-02-05T00:00:00+00:00")
    assert compared(source, (_listing(2, day=4),)).state is State.CURRENT
    assert compared(source, (_listing(2, day=6),)).state is State.NEWER


def test_without_dates_what_is_listed_before_the_held_one_is_newer() -> None:
    assert compared(_source(), (_listing(2), _listing(1))).newest == _listing(2)
    assert compared(_source(), (_listing(1), _listing(2))).state is State.CURRENT


def test_another_base_is_another_matter() -> None:
    other = _listing(2, day=2, family="sdxl", base="SDXL 1.0")
    found = compared(_source(), (other, _listing(1, day=1)))
    assert (found.state, found.newest, found.others) == (State.OTHER_BASE, None, (other,))
    both = compared(_source(), (_listing(3, day=3), other, _listing(1, day=1)))
    assert (both.state, both.newest and both.newest.ref.version, both.others) == (State.NEWER, "3", (other,))


@pytest.mark.parametrize(("mine", "theirs"), [(None, "sdxl"), ("sd1", None)])
def test_an_unknown_base_is_not_another_one(mine: str | None, theirs: str | None) -> None:
    listed = (_listing(2, day=2, family=theirs), _listing(1, day=1))
    assert compared(_source(family=mine), listed).state is State.NEWER


def test_of_a_versions_files_the_one_like_the_held_one_is_taken() -> None:
    held = _listing(1, day=1, precision="fp32", pruned=False)
    half = _listing(2, day=2, precision="fp16", pruned=True)
    full = replace(half, ref=replace(half.ref, file="21"), precision="fp32", pruned=False)
    assert compared(_source(), (half, full, held)).newest == full


def test_another_kind_in_the_same_model_is_no_newer_version() -> None:
    assert compared(_source(), (_listing(2, day=2, kind=Kind.VAE), _listing(1, day=1))).state is State.CURRENT


def test_the_same_bytes_and_what_is_here_already_are_no_news() -> None:
    listed = (_listing(2, day=2, sha256="aa" * 32), _listing(1, day=1))
    assert compared(_source(), listed).state is State.CURRENT
    listed = (_listing(2, day=2, sha256="bb" * 32), _listing(1, day=1))
    assert compared(_source(), listed, {"bb" * 32}).state is State.CURRENT
    assert compared(_source(), listed, {listed[0].ref}).state is State.CURRENT


def test_nothing_left_or_all_archived_is_gone() -> None:
    assert compared(_source(), ()).state is State.GONE
    assert compared(_source(), (_listing(1, gate=Gate.GONE),)).state is State.GONE


def test_an_archived_version_is_not_offered_as_newer() -> None:
    listed = (_listing(2, day=2, gate=Gate.GONE), _listing(1, day=1))
    assert compared(_source(), listed).state is State.CURRENT


def test_a_base_called_otherwise_now_is_told() -> None:
    assert compared(_source(base_model="SD 1.5"), (_listing(1, base="Illustrious"),)).relabelled == "Illustrious"
    assert compared(_source(base_model="SD 1.5"), (_listing(1),)).relabelled == ""
    assert compared(_source(), (_listing(1),)).relabelled == ""


def test_a_file_at_a_path_is_compared_with_that_path_of_the_next_commit() -> None:
    source = _source(HubRef("hf", "ada/bob", _COMMIT, "bob.safetensors"))
    same = _file(_NEXT, "bob.safetensors", "aa" * 32)
    changed, spare = _file(_NEXT, "bob.safetensors", "bb" * 32), _file(_NEXT, "spare.safetensors", "cc" * 32)
    assert compared(source, (spare, same)).state is State.CURRENT
    assert compared(source, (spare, changed)).newest == changed
    assert compared(source, (spare,)).state is State.CURRENT


def test_a_folder_is_the_same_while_the_files_with_digests_are(tmp_path: Path) -> None:
    (tmp_path / "w.safetensors").write_bytes(b"weights")
    source = _source(HubRef("hf", "ada/vae", _COMMIT), path=str(tmp_path))
    sha256 = hashlib.sha256(b"weights").hexdigest()
    files = (RemoteFile("w.safetensors", "w", 7, digests={"sha256": sha256}), RemoteFile("config.json", "c", 2))
    listing = Listing(HubRef("hf", "ada/vae", _NEXT), "vae", files, is_folder=True)
    assert compared(source, (listing,), same_bytes=lies_here).state is State.CURRENT
    (tmp_path / "w.safetensors").write_bytes(b"changed")
    assert compared(source, (listing,), same_bytes=lies_here).newest == listing


def _added(catalog: Catalog, folder: Path, number: int, ref: str) -> Artifact:
    path = folder / f"m{number}.safetensors"
    path.write_bytes(lora(number))
    artifact = catalog.add(path)
    catalog.sources.note(artifact.id, ref, {"version": "1"})
    return artifact


def test_a_hub_that_is_away_spoils_no_other(catalog: Catalog, tmp_path: Path) -> None:
    wanted = [
        _added(catalog, tmp_path, 1, "civitai:12@1+10"),
        _added(catalog, tmp_path, 2, "hf:ada/bob/b.safetensors@x"),
    ]
    hubs = {
        "civitai": FakeHub({HubRef("civitai", "12"): (_listing(2), _listing(1))}),
        "hf": FakeHub(error=Unreachable("away")),
    }
    events = list(look(catalog, wanted, hubs=hubs.__getitem__))
    assert [one.message for one in events if isinstance(one, Notice)] == ["hf could not be asked: away"]
    done = events[-1]
    assert isinstance(done, Done)
    assert [one.state for one in done.result] == [State.NEWER]
    with pytest.raises(Unreachable):
        drain(look(catalog, wanted[1:], hubs=hubs.__getitem__))


def test_each_hub_is_asked_once_and_what_is_gone_is_written_down(catalog: Catalog, tmp_path: Path) -> None:
    wanted = [_added(catalog, tmp_path, number, f"civitai:{number}@1+10") for number in (1, 2, 3)]
    hub = FakeHub()
    assert {one.state for one in drain(look(catalog, wanted, hubs=lambda name: hub))} == {State.GONE}
    assert hub.asked == 1
    assert all(catalog.sources.of(one.id)[0].gone_at for one in wanted)
