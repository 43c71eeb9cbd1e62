"""One function finds a model by whatever a person types."""

from collections.abc import Callable
from pathlib import Path

import pytest

from modelhub.catalog import Catalog
from modelhub.errors import AmbiguousRef, Incompatible, UnknownRef
from modelhub.kinds import Artifact, Kind
from modelhub.refs import ModelRef
from tests import tables


@pytest.fixture
def kip(catalog: Catalog, tmp_path: Path) -> Artifact:
    shapes = {**tables.tiny_lora(), "padding": (1 << 20,)}
    path = tables.write(tmp_path / "files" / "kip.safetensors", shapes, {"ss_output_name": "kip_v3"}, fill=7)
    catalog.add(path, name="robot")
    catalog.sources.note(1, "hf:owner/repo/kip.safetensors", {"likes": 3})
    catalog.sources.note(1, "civitai:12@34", {})
    return catalog.artifact(1)


ADDRESSES: dict[str, Callable[[Catalog, Artifact], str]] = {
    "id": lambda _, kip: str(kip.id),
    "name": lambda _, kip: "robot",
    "stem": lambda _, kip: "kip",
    "output name": lambda _, kip: "kip_v3",
    "path": lambda _, kip: str(kip.path),
    "file name": lambda _, kip: "kip.safetensors",
    "sha256": lambda catalog, kip: catalog.sha256(kip),
    "sha256 prefix": lambda catalog, kip: catalog.sha256(kip)[:8].upper(),
    "hf": lambda _, kip: "hf:owner/repo/kip.safetensors",
    "civitai": lambda _, kip: "civitai:12@34",
}


@pytest.mark.parametrize("address", ADDRESSES.values(), ids=ADDRESSES)
def test_every_form_of_address_finds_it(
    catalog: Catalog, kip: Artifact, address: Callable[[Catalog, Artifact], str]
) -> None:
    ref = address(catalog, kip)
    assert catalog.resolve(ref).id == kip.id
    assert catalog.resolve(ModelRef.parse(ref)).id == kip.id


@pytest.mark.parametrize("algorithm", ["sha256", "autov1", "autov2", "autov3"])
def test_every_digest_finds_it_by_its_beginning(catalog: Catalog, kip: Artifact, algorithm: str) -> None:
    catalog.sha256(kip)
    wanted = catalog.artifact(kip.id).digests[algorithm]
    assert catalog.resolve(wanted[:8]).id == kip.id
    assert catalog.find_digest(wanted[:8]) == (kip.id,)


def test_an_unknown_digest_reads_no_file_and_tells_how_many_lack_one(catalog: Catalog, kip: Artifact) -> None:
    with pytest.raises(UnknownRef, match="1 files have no digest yet") as caught:
        catalog.resolve("deadbeef")
    assert caught.value.mend == "modelhub scan --hash"
    assert catalog.artifact(kip.id).digests == {}


def test_an_unknown_digest_is_plainly_unknown_once_all_are_hashed(catalog: Catalog, kip: Artifact) -> None:
    catalog.sha256(kip)
    with pytest.raises(UnknownRef) as caught:
        catalog.resolve("deadbeef")
    assert "digest" not in caught.value.message


def test_a_relative_path_is_seen_from_here(catalog: Catalog, kip: Artifact, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(kip.path.parent)
    assert catalog.resolve("./kip.safetensors").id == kip.id


def test_a_name_hides_anothers_alias(catalog: Catalog, kip: Artifact, tmp_path: Path) -> None:
    other = catalog.add(tables.write(tmp_path / "other.safetensors", tables.tiny_lora()), name="kip")
    assert catalog.resolve("kip").id == other.id


def test_two_matches_are_both_named(catalog: Catalog, tmp_path: Path) -> None:
    for fill in (1, 2):
        catalog.add(tables.write(tmp_path / str(fill) / "kip.safetensors", tables.tiny_lora(), fill=fill))
        catalog.rename(fill, f"robot-{fill}")
    with pytest.raises(AmbiguousRef) as caught:
        catalog.resolve("kip")
    assert "1 (robot-1) or 2 (robot-2)" in caught.value.message


def test_the_wanted_kind_decides_between_two(catalog: Catalog, tmp_path: Path) -> None:
    catalog.add(tables.write(tmp_path / "1" / "kip.safetensors", tables.tiny_lora()), name="a")
    catalog.add(tables.write(tmp_path / "2" / "kip.safetensors", tables.ldm_vae(width=1)), name="b")
    assert catalog.resolve("kip", kinds={Kind.VAE}).id == 2


def test_a_model_of_another_kind_does_not_fit(catalog: Catalog, kip: Artifact) -> None:
    with pytest.raises(Incompatible) as caught:
        catalog.resolve("robot", kinds={Kind.VAE})
    assert caught.value.message == "1 (robot) is a lora, not a vae"
    assert caught.value.mend == "modelhub ls --kind vae"


def test_an_unknown_name_brings_the_nearest(catalog: Catalog, kip: Artifact) -> None:
    with pytest.raises(UnknownRef, match="did you mean robot"):
        catalog.resolve("robbot")


@pytest.mark.parametrize("ref", ["2", "99999999999999999999999", "nobody", "deadbeef", "/none.safetensors", "hf:a/b"])
def test_what_is_not_held_is_unknown(catalog: Catalog, kip: Artifact, ref: str) -> None:
    with pytest.raises(UnknownRef, match=ref):
        catalog.resolve(ref)


def test_a_file_that_is_there_but_not_held_can_be_added(catalog: Catalog, tmp_path: Path) -> None:
    path = tables.write(tmp_path / "new.safetensors", tables.tiny_lora())
    with pytest.raises(UnknownRef) as caught:
        catalog.resolve(str(path))
    assert caught.value.mend == f"modelhub add {path}"


@pytest.mark.parametrize("ref", ["1", "robot", "kip", "kip.safetensors", "civitai:12@34"])
def test_a_removed_model_is_found_by_nothing(catalog: Catalog, kip: Artifact, ref: str) -> None:
    catalog.remove(kip.id)
    with pytest.raises(UnknownRef):
        catalog.resolve(ref)


def test_percent_signs_are_no_wildcards(catalog: Catalog, kip: Artifact) -> None:
    with pytest.raises(UnknownRef):
        catalog.resolve("%")
