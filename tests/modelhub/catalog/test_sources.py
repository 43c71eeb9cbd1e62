"""The catalog keeps what hubs said, and finds models again by any address that means them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from modelhub.catalog import Catalog, Query
from modelhub.errors import AmbiguousRef, UnknownRef
from modelhub.hubs import parse
from modelhub.kinds import Artifact
from tests import tables

REF = "civitai:12@34+56"


@pytest.fixture
def kip(catalog: Catalog, tmp_path: Path) -> Artifact:
    return catalog.add(tables.write(tmp_path / "kip.safetensors", tables.tiny_lora()))


@pytest.fixture
def mo(catalog: Catalog, tmp_path: Path) -> Artifact:
    return catalog.add(tables.write(tmp_path / "mo.safetensors", tables.tiny_lora(rank=2)))


def test_what_a_hub_said_can_be_read_again(catalog: Catalog, kip: Artifact) -> None:
    catalog.sources.note(kip.id, parse(REF), {"name": "Kip"}, words=("kip robot",))
    (heard,) = catalog.sources.of(kip.id)
    assert (heard.ref, heard.said["name"], heard.gone_at) == (REF, "Kip", None)
    assert catalog.account(kip.id).words == (("kip robot", "hub"),)


def test_trigger_words_of_a_hub_are_found_by_a_search(catalog: Catalog, kip: Artifact) -> None:
    catalog.sources.note(kip.id, REF, {}, words=("unmistakable",))
    assert [one.id for one in catalog.list(Query("unmistak"))] == [kip.id]


def test_what_is_gone_keeps_its_words_and_the_day(catalog: Catalog, kip: Artifact) -> None:
    catalog.sources.note(kip.id, REF, {"name": "Kip"})
    catalog.sources.gone(REF)
    first = catalog.sources.of(kip.id)[0]
    catalog.sources.gone(REF)
    assert first.said["name"] == "Kip"
    assert first.gone_at
    assert catalog.sources.of(kip.id)[0].gone_at == first.gone_at


def test_what_comes_back_is_gone_no_longer(catalog: Catalog, kip: Artifact) -> None:
    catalog.sources.note(kip.id, REF, {})
    catalog.sources.gone(REF)
    catalog.sources.note(kip.id, REF, {})
    assert catalog.sources.of(kip.id)[0].gone_at is None


def test_all_sources_of_one_hub_by_artifact(catalog: Catalog, kip: Artifact, mo: Artifact) -> None:
    for ref in (REF, "civitai:12@35+57", "hf:owner/repo/kip.safetensors@main"):
        catalog.sources.note(kip.id, ref, {})
    catalog.sources.note(mo.id, "civitai:9@9+9", {})
    catalog.remove(mo.id)
    found = catalog.sources.all("civitai")
    assert {one: [each.ref for each in sources] for one, sources in found.items()} == {
        kip.id: [REF, "civitai:12@35+57"]
    }


def test_when_a_hub_was_asked_is_remembered(catalog: Catalog) -> None:
    catalog.sources.note_asked("civitai", ["ab" * 32])
    asked = catalog.sources.asked("civitai")
    assert datetime.now(UTC) - asked["ab" * 32] < timedelta(minutes=1)
    assert catalog.sources.asked("hf") == {}


@pytest.mark.parametrize(
    "text",
    [
        REF,
        "civitai:12",
        "civitai:12@34",
        "civitai:@34",
        "https://civitai.com/models/12/kip-the-robot?modelVersionId=34",
        "https://civitai.com/api/download/models/34?fileId=56",
        "urn:air:sd1:lora:civitai:12@34",
    ],
)
def test_a_held_model_is_found_by_every_form_of_its_address(catalog: Catalog, kip: Artifact, text: str) -> None:
    catalog.sources.note(kip.id, REF, {})
    assert catalog.resolve(text).id == kip.id


@pytest.mark.parametrize("text", ["civitai:13", "civitai:12@35", "civitai:12@34+57", "hf:12/34", "civitai:nonsense"])
def test_another_address_does_not_find_it(catalog: Catalog, kip: Artifact, text: str) -> None:
    catalog.sources.note(kip.id, REF, {})
    with pytest.raises(UnknownRef) as caught:
        catalog.resolve(text)
    assert caught.value.mend == f"modelhub pull {text}"


def test_two_versions_of_one_model_are_ambiguous(catalog: Catalog, kip: Artifact, mo: Artifact) -> None:
    catalog.sources.note(kip.id, REF, {})
    catalog.sources.note(mo.id, "civitai:12@35+57", {})
    with pytest.raises(AmbiguousRef, match=rf"{kip.id} .*{mo.id} "):
        catalog.resolve("civitai:12")


def test_an_address_by_digest_finds_the_bytes(catalog: Catalog, kip: Artifact) -> None:
    digest = catalog.sha256(kip)
    assert catalog.resolve(f"civitai:hash:{digest[:10]}").id == kip.id
