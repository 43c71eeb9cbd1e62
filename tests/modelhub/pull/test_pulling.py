"""What a plan's fetches become: whole, named, described artifacts; and nothing else is left behind."""

import json
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from modelhub import starter
from modelhub.catalog import Catalog
from modelhub.digests import file_digests
from modelhub.errors import BrokenFile, NotOffered
from modelhub.fingerprint import fingerprint
from modelhub.hubs import Access, connect, parse
from modelhub.jobs import drain
from modelhub.kinds import Kind
from modelhub.pull import Wish, plan, pull, survey
from modelhub.pull._incoming import Moved, incoming, locked, note_move
from modelhub.upkeep.scan import scan
from tests import tables
from tests.modelhub.pull.conftest import Pull
from tests.servers.civitai import Civitai

Offered = Callable[..., str]
PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)


def files(catalog: Catalog) -> set[str]:
    """All that lies in the workspace's models and in its quarantine."""
    root = catalog.workspace.root
    each = (path for top in ("models", "quarantine") for path in (root / top).rglob("*") if path.is_file())
    return {path.relative_to(root).as_posix() for path in each}


def asked_for_bytes(hub: Civitai) -> int:
    return sum(one.method == "GET" for one in hub.storage.requests)


def test_a_model_lies_at_its_place_with_a_note_beside_it(
    catalog: Catalog, hub: Civitai, offered: Offered, pulled: Pull, content: bytes
) -> None:
    report, _ = pulled(Wish(parse(offered(content, trainedWords=["kip"])), name="robot", tags=("a",)))
    (one,) = report.pulled
    assert (one.artifact.name, one.artifact.tags, one.artifact.facts.kind) == ("robot", ("a",), Kind.LORA)
    assert one.artifact.trigger_words == ("kip",)
    assert one.fetched == len(content)
    assert files(catalog) == {"models/lora/kip.safetensors", "models/lora/kip.modelhub.json"}
    note = json.loads((catalog.workspace.models / "lora/kip.modelhub.json").read_text())
    assert note["ref"] == catalog.sources.of(one.artifact.id)[0].ref
    assert note["sha256"] == {"kip.safetensors": one.artifact.digests["sha256"]}
    assert "token" not in json.dumps(note)
    assert "Signature" not in json.dumps(note)


def test_the_run_that_brought_it_is_its_maker(catalog: Catalog, offered: Offered, pulled: Pull, content: bytes) -> None:
    report, _ = pulled(offered(content))
    made_by = catalog.made_by(report.pulled[0].artifact.id)
    assert made_by
    assert (made_by.kind, made_by.state) == ("pull", "done")


def test_what_is_here_is_not_fetched_again(hub: Civitai, offered: Offered, pulled: Pull, content: bytes) -> None:
    ref = offered(content)
    pulled(ref)
    before = asked_for_bytes(hub)
    report, _ = pulled(ref)
    assert (len(report.kept), len(report.pulled), asked_for_bytes(hub)) == (1, 0, before)


def test_a_file_of_ones_own_learns_what_the_hub_says(
    catalog: Catalog, hub: Civitai, offered: Offered, pulled: Pull, content: bytes, tmp_path: Path
) -> None:
    own = tmp_path / "own.safetensors"
    own.write_bytes(content)
    held = catalog.add(own)
    catalog.sha256(held)
    report, _ = pulled(Wish(parse(offered(content, trainedWords=["kip"])), tags=("b",)))
    assert [one.artifact.id for one in report.kept] == [held.id]
    kept = catalog.artifact(held.id)
    assert (kept.tags, kept.trigger_words) == (("b",), ("kip",))
    assert asked_for_bytes(hub) == 0


def test_two_models_of_one_name_lie_side_by_side(catalog: Catalog, hub: Civitai, pulled: Pull, content: bytes) -> None:
    model = hub.model()
    other = tables.write(catalog.workspace.root / "x.safetensors", tables.tiny_lora(rank=2)).read_bytes()
    versions = [hub.version(model, files=[hub.file(one)]) for one in (content, other)]
    report, _ = pulled(*(f"civitai:{model['id']}@{one['id']}" for one in versions))
    assert len(report.pulled) == 2
    weights = {name for name in files(catalog) if name.endswith(".safetensors")}
    assert len(weights) == 2
    assert "models/lora/kip.safetensors" in weights
    assert weights & {"models/lora/kip-v1.safetensors", "models/lora/kip-v2.safetensors"}


def test_a_file_that_is_there_already_becomes_the_model(
    catalog: Catalog, offered: Offered, pulled: Pull, content: bytes
) -> None:
    there = catalog.workspace.models / "lora" / "kip.safetensors"
    there.parent.mkdir(parents=True)
    there.write_bytes(content)
    report, _ = pulled(offered(content))
    assert report.pulled[0].artifact.path == there
    assert files(catalog) == {"models/lora/kip.safetensors", "models/lora/kip.modelhub.json"}


@pytest.mark.parametrize("is_registered", [False, True])
def test_what_was_moved_before_a_kill_is_taken_up(
    catalog: Catalog,
    hub: Civitai,
    access: Access,
    offered: Offered,
    pulled: Pull,
    content: bytes,
    is_registered: bool,
) -> None:
    ref = offered(content)
    (listing,) = connect("civitai", access).listings(parse(ref))
    target = catalog.workspace.models / "lora" / "kip.safetensors"
    target.parent.mkdir(parents=True)
    target.write_bytes(content)
    digests = {listing.files[0].path: listing.files[0].digests["sha256"]}
    note_move(incoming(catalog.workspace, listing), Moved(target, fingerprint(target), digests))
    if is_registered:
        catalog.sources.note(catalog.add(target).id, listing.ref, {})
    report, _ = pulled(ref)
    (one,) = report.pulled
    assert (one.fetched, asked_for_bytes(hub)) == (0, 0)
    assert one.artifact.digests["sha256"] == digests[listing.files[0].path]
    assert catalog.made_by(one.artifact.id)
    assert not catalog.workspace.incoming.exists()


@pytest.mark.parametrize("content", [b"\x40" + bytes(7) + b"{" + b"x" * 200, b"PK\x03\x04 but no archive" * 9])
def test_a_file_that_our_reader_refuses_stays_out_and_stops_no_other(
    catalog: Catalog, offered: Offered, pulled: Pull, content: bytes, tmp_path: Path
) -> None:
    good = tables.write(tmp_path / "good.safetensors", tables.tiny_lora()).read_bytes()
    report, _ = pulled(offered(content, name="bad.safetensors"), offered(good))
    assert [one.artifact.name for one in report.pulled] == ["kip"]
    assert [type(one) for _, one in report.failed] == [BrokenFile]
    assert not list(catalog.workspace.models.glob("*/bad*"))


def test_bytes_that_are_not_those_that_were_promised_stay_out(
    catalog: Catalog, hub: Civitai, offered: Offered, pulled: Pull, content: bytes
) -> None:
    ref = offered(content)
    path, held = next(iter(hub.storage.files.items()))
    hub.storage.files[path] = type(held)(content[:-1] + b"x", held.etag, signed=True)
    report, _ = pulled(ref)
    assert [type(error) for _, error in report.failed] == [BrokenFile]
    assert catalog.list() == ()
    assert not list(catalog.workspace.models.glob("*/*.safetensors"))


def test_a_lost_catalog_is_found_again_by_a_scan(
    catalog: Catalog, offered: Offered, pulled: Pull, content: bytes
) -> None:
    pulled(offered(content, trainedWords=["kip"]))
    told = catalog.account(1)
    catalog.close()
    catalog.workspace.catalog.unlink()
    with Catalog.create(catalog.workspace) as found:
        drain(scan(found))
        again = found.account(1)
        assert again.artifact.trigger_words == told.artifact.trigger_words
        assert {**again.sources[0].said, "heard": ""} == {**told.sources[0].said, "heard": ""}
        assert found.resolve(told.sources[0].ref).id == 1


@pytest.mark.parametrize(("level", "nsfw", "comes"), [(1, False, True), (4, False, False), (4, True, True)])
def test_a_preview_comes_where_it_may_be_shown(
    catalog: Catalog, hub: Civitai, offered: Offered, pulled: Pull, content: bytes, level: int, nsfw: bool, comes: bool
) -> None:
    film = hub.image(PNG, type="video")
    report, _ = pulled(offered(content, images=[film, hub.image(PNG, nsfwLevel=level)]), nsfw=nsfw)
    preview = report.pulled[0].artifact.preview
    assert (preview is not None and preview.read_bytes() == PNG) == comes


def test_what_is_no_picture_is_no_preview(
    catalog: Catalog, hub: Civitai, offered: Offered, pulled: Pull, content: bytes
) -> None:
    report, told = pulled(offered(content, images=[hub.image(b"<html>no</html>")]))
    assert report.pulled[0].artifact.preview is None
    assert any("preview" in one for one in told)


def test_what_contradicts_the_hub_is_told(offered: Offered, pulled: Pull, content: bytes) -> None:
    _, told = pulled(offered(content, baseModel="SDXL 1.0"))
    assert any("SDXL 1.0" in one and "sd1" in one for one in told)


def test_a_second_process_waits_and_finds_the_model(
    catalog: Catalog, access: Access, offered: Offered, pulled: Pull, content: bytes
) -> None:
    ref = offered(content)
    (listing,) = connect("civitai", access).listings(parse(ref))
    begun, over = threading.Event(), threading.Event()

    def other() -> None:
        with locked(incoming(catalog.workspace, listing), wait=0):
            begun.set()
            over.wait(10)

    thread = threading.Thread(target=other)
    thread.start()
    begun.wait(10)
    threading.Timer(0.2, over.set).start()
    report, told = pulled(ref)
    thread.join()
    assert len(report.pulled) == 1
    assert any("another process" in one for one in told)


def test_two_addresses_of_the_same_bytes_are_fetched_once(
    hub: Civitai, offered: Offered, pulled: Pull, content: bytes
) -> None:
    report, _ = pulled(offered(content), offered(content))
    assert (len(report.pulled), len(report.kept), asked_for_bytes(hub)) == (1, 1, 1)


def test_a_pulled_model_has_the_digests_that_pictures_name_it_by(
    catalog: Catalog, pulled: Pull, tmp_path: Path
) -> None:
    kip = tables.write(tmp_path / "nas" / "kip.safetensors", tables.tiny_lora(rank=1024))
    report, _ = pulled(f"folder:{kip}", f"folder:{starter.CHECKPOINT}")
    lora, checkpoint = (one.artifact for one in report.pulled)
    assert lora.digests == file_digests(kip)
    assert checkpoint.digests == {
        name: one for name, one in file_digests(starter.CHECKPOINT).items() if name != "autov3"
    }


def test_a_folder_of_models_comes_whole(catalog: Catalog, pulled: Pull, tmp_path: Path) -> None:
    vae = tmp_path / "nas" / "fine-vae"
    tables.write(vae / "diffusion_pytorch_model.safetensors", {"decoder.conv_in.weight": (8, 4, 3, 3)})
    (vae / "config.json").write_text(json.dumps({"_class_name": "AutoencoderKL"}))
    report, _ = pulled(f"folder:{vae}")
    (one,) = report.pulled
    assert one.artifact.path.is_dir()
    assert one.artifact.path.parent == catalog.workspace.models / one.artifact.facts.kind
    assert {path.name for path in one.artifact.path.iterdir()} == {path.name for path in vae.iterdir()}
    digest = one.artifact.digests["sha256"]
    assert digest == file_digests(one.artifact.path)["sha256"]
    ref = catalog.sources.of(one.artifact.id)[0].ref
    catalog.close()
    catalog.workspace.catalog.unlink()
    with Catalog.create(catalog.workspace) as found:
        drain(scan(found))
        assert [each.ref for each in found.sources.of(1)] == [ref]


def test_stopped_half_way_it_is_marked_so(catalog: Catalog, access: Access, offered: Offered, content: bytes) -> None:
    hubs = partial(connect, access=access)
    todo = plan(drain(survey([Wish(parse(offered(content)))], hubs=hubs)))
    job: Iterator[object] = pull(todo, catalog=catalog, hubs=hubs, network=access.network)
    next(job)
    job.close()  # type: ignore[attr-defined]
    run = catalog.last_run("pull")
    assert run
    assert run.state == "interrupted"


def test_what_is_there_no_longer_fails_alone(hub: Civitai, offered: Offered, pulled: Pull, content: bytes) -> None:
    report, _ = pulled("civitai:999", offered(content))
    assert [type(error) for _, error in report.failed] == [NotOffered]
    assert len(report.pulled) == 1
