"""An account tells what an artifact was trained on and what was trained on it, as far as headers prove it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from modelhub.catalog import Catalog
from modelhub.kinds import Artifact
from tests import tables

Lora = Callable[..., Artifact]


@pytest.fixture
def base(catalog: Catalog, tmp_path: Path) -> Artifact:
    """A UNet that is large enough for every digest."""
    held = catalog.add(tables.write(tmp_path / "bases" / "base-v1.safetensors", tables.diffusers_unet(channels=800)))
    catalog.sha256(held)
    return catalog.artifact(held.id)


@pytest.fixture
def lora(catalog: Catalog, tmp_path: Path) -> Lora:
    """Adds a LoRA with these entries in its header."""

    def added(name: str, **metadata: str) -> Artifact:
        return catalog.add(tables.write(tmp_path / "loras" / f"{name}.safetensors", tables.tiny_lora(), metadata))

    return added


@pytest.mark.parametrize("digits", [64, 10])
def test_a_digest_or_its_beginning_proves_the_base(catalog: Catalog, base: Artifact, lora: Lora, digits: int) -> None:
    kip = lora("kip", ss_new_sd_model_hash=base.digests["sha256"][:digits])
    found = catalog.base_of(kip)
    assert found
    assert (found.artifact.id, found.found_by) == (base.id, "sha256")
    assert [one.id for one in catalog.derived_from(base)] == [kip.id]


def test_the_old_short_digest_leads_to_the_base(catalog: Catalog, base: Artifact, lora: Lora) -> None:
    kip = lora("kip", ss_sd_model_hash=base.digests["autov1"], ss_sd_model_name="another.safetensors")
    found = catalog.base_of(kip)
    assert found
    assert (found.artifact.id, found.found_by) == (base.id, "autov1")
    assert [one.id for one in catalog.derived_from(base)] == [kip.id]


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"ss_sd_model_name": "unheard-of.safetensors"},
        {"ss_new_sd_model_hash": "ab" * 32},
        {"ss_new_sd_model_hash": "ab" * 32, "ss_sd_model_name": "base-v1.safetensors"},
        {"ss_sd_model_hash": "e3b0c442"},
    ],
    ids=["told nothing", "unknown name", "unknown digest", "a name that its digest refutes", "the digest of nothing"],
)
def test_what_proves_nothing_links_to_nothing(
    catalog: Catalog, base: Artifact, lora: Lora, metadata: dict[str, str]
) -> None:
    assert catalog.base_of(lora("kip", **metadata)) is None
    assert catalog.derived_from(base) == ()


def test_a_name_links_to_the_only_model_of_that_name_and_back_to_none(
    catalog: Catalog, base: Artifact, lora: Lora, tmp_path: Path
) -> None:
    kip = lora("kip", ss_sd_model_name="base-v1.safetensors")
    found = catalog.base_of(kip)
    assert found
    assert (found.artifact.id, found.found_by) == (base.id, "name")
    assert catalog.derived_from(base) == ()
    catalog.add(tables.write(tmp_path / "other" / "base-v1.safetensors", tables.diffusers_unet(context=1024)))
    assert catalog.base_of(kip) is None


def test_a_lora_of_that_name_is_no_base(catalog: Catalog, lora: Lora) -> None:
    lora("twin", ss_seed="1")
    assert catalog.base_of(lora("kip", ss_sd_model_name="twin.safetensors")) is None


def test_what_was_removed_is_neither_base_nor_derived(catalog: Catalog, base: Artifact, lora: Lora) -> None:
    kip, tip = (lora(name, ss_new_sd_model_hash=base.digests["sha256"], ss_seed=name) for name in ("kip", "tip"))
    assert [one.id for one in catalog.derived_from(base)] == [tip.id, kip.id]
    catalog.remove(tip.id)
    assert [one.id for one in catalog.derived_from(base)] == [kip.id]
    catalog.remove(base.id)
    assert catalog.base_of(kip) is None


def test_held_are_those_that_were_not_removed(catalog: Catalog, lora: Lora) -> None:
    kip, tip = (lora(name, ss_seed=name) for name in ("kip", "tip"))
    catalog.remove(kip.id)
    assert catalog.held([kip.id, tip.id, 99]) == {tip.id}


def test_an_account_holds_all_that_is_known(catalog: Catalog, base: Artifact, lora: Lora) -> None:
    kip = lora("kip", ss_new_sd_model_hash=base.digests["sha256"], **{"modelspec.trigger_phrase": "kip robot"})
    catalog.sources.note(kip.id, "civitai:1@2", {"name": "Kip"})
    account = catalog.account(kip.id)
    assert account.words == (("kip robot", "header"),)
    assert account.training
    assert account.training.base_sha256 == base.digests["sha256"]
    assert account.base
    assert [(one.ref, one.said["name"]) for one in account.sources] == [("civitai:1@2", "Kip")]
    assert account.lineage.made_by is None
    assert [one.id for one in catalog.account(base.id).derived] == [kip.id]
