"""What a held model's licence allows: by those that tell of it, and by what it was made from."""

from collections.abc import Callable
from pathlib import Path

import pytest

from modelhub.catalog import Catalog
from modelhub.kinds import Artifact
from modelhub.licences import QUESTIONS, Answer, known, to_json
from modelhub.upkeep.terms import licence_of, named
from tests import tables

YES, NO, UNKNOWN = Answer.YES, Answer.NO, Answer.UNKNOWN
Lora = Callable[..., Artifact]


@pytest.fixture
def lora(catalog: Catalog, tmp_path: Path) -> Lora:
    """Adds a LoRA with these entries in its header."""

    def added(name: str, metadata: dict[str, str] | None = None) -> Artifact:
        rank = 1 + len(list((tmp_path / "loras").glob("*")))
        return catalog.add(
            tables.write(tmp_path / "loras" / f"{name}.safetensors", tables.tiny_lora(rank=rank), metadata)
        )

    return added


@pytest.fixture
def base(catalog: Catalog, tmp_path: Path) -> Artifact:
    held = catalog.add(tables.write(tmp_path / "bases" / "base-v1.safetensors", tables.diffusers_unet(channels=800)))
    catalog.sha256(held)
    return catalog.artifact(held.id)


def test_a_hubs_licence_is_what_the_model_has(catalog: Catalog, lora: Lora) -> None:
    kip = lora("kip")
    catalog.sources.note(kip.id, "hf:a/kip@1", {"licence": to_json(known("mit"))})
    told = named(catalog, kip)
    assert told.model == f"{kip.id} (kip)"
    assert (told.licence.name, told.licence.sell_images) == ("mit", YES)
    assert told.licence.because[0].startswith("hf:a/kip@1: mit: ")


def test_where_two_hubs_differ_the_stricter_counts_and_both_are_told(catalog: Catalog, lora: Lora) -> None:
    kip = lora("kip")
    catalog.sources.note(kip.id, "hf:a/kip@1", {"licence": to_json(known("mit"))})
    catalog.sources.note(kip.id, "civitai:1@2", {"licence": to_json(known("noobai"))})
    licence = licence_of(catalog, kip)
    assert licence.sell_images is NO
    assert {reason.split(": ")[0] for reason in licence.because} == {"hf:a/kip@1", "civitai:1@2"}


def test_a_note_of_another_tool_tells_what_an_author_ticked(catalog: Catalog, lora: Lora) -> None:
    kip = lora("kip")
    catalog.sources.note(kip.id, "civitai:1@2", {"allow_derivatives": False, "base_model": "SD 1.5"})
    licence = licence_of(catalog, kip)
    assert (licence.merge, licence.restricts_use, licence.sell_images) == (NO, YES, UNKNOWN)


def test_a_header_tells_its_licence(catalog: Catalog, lora: Lora) -> None:
    kip = lora("kip", {"modelspec.license": "CC-BY-NC-4.0"})
    assert licence_of(catalog, kip).sell_images is NO


def test_without_a_word_only_what_the_family_forbids_is_known(catalog: Catalog, lora: Lora) -> None:
    licence = licence_of(catalog, lora("kip"))
    assert {one for one in QUESTIONS if licence.answer(one) is not UNKNOWN} == {"restricts_use"}
    assert "nobody here told what it allows" in licence.because[0]
    assert licence.name == ""


def test_what_the_proven_base_forbids_flows_down(catalog: Catalog, base: Artifact, lora: Lora) -> None:
    catalog.sources.note(base.id, "hf:a/base@1", {"licence": to_json(known("noobai"))})
    kip = lora("kip", {"ss_new_sd_model_hash": base.digests["sha256"], "modelspec.license": "mit"})
    licence = licence_of(catalog, kip)
    assert (licence.sell_images, licence.merge) == (NO, YES)
    assert any(reason.startswith(f"its base {base.id} (base-v1): ") for reason in licence.because)


def test_what_an_unknown_base_does_not_say_takes_nothing_away(catalog: Catalog, base: Artifact, lora: Lora) -> None:
    kip = lora("kip", {"ss_new_sd_model_hash": base.digests["sha256"], "modelspec.license": "mit"})
    assert licence_of(catalog, kip).sell_images is YES


@pytest.mark.parametrize(("terms", "answer"), [("mit", YES), ("noobai", NO), ("my-own", UNKNOWN)])
def test_own_work_is_as_free_as_its_base(
    catalog: Catalog, base: Artifact, lora: Lora, terms: str, answer: Answer
) -> None:
    catalog.sources.note(base.id, "hf:a/base@1", {"licence": to_json(known(terms))})
    kip = lora("kip")
    catalog.finish_run(catalog.begin_run("train", {}, [("base", base.id)]), outputs=[kip.id])
    licence = licence_of(catalog, kip)
    assert licence.sell_images is answer
    assert "it was trained here" in licence.because[0]


def test_own_work_on_a_base_that_is_gone_is_unknown(catalog: Catalog, base: Artifact, lora: Lora) -> None:
    kip = lora("kip")
    catalog.finish_run(catalog.begin_run("train", {}, [("base", base.id)]), outputs=[kip.id])
    catalog.remove(base.id)
    assert licence_of(catalog, kip).sell_images is UNKNOWN


@pytest.mark.parametrize(("tag", "answer"), [("licence:mit", YES), ("licence:own", YES), ("licence:my-own", UNKNOWN)])
def test_the_owner_is_believed_above_all(catalog: Catalog, lora: Lora, tag: str, answer: Answer) -> None:
    kip = lora("kip", {"modelspec.license": "CC-BY-NC-4.0"})
    licence = licence_of(catalog, catalog.tag(kip.id, tag, "style"))
    assert licence.sell_images is answer
    assert licence.because == (f"you tagged it {tag}",)


def test_headers_that_name_each_other_end(catalog: Catalog, lora: Lora) -> None:
    kip = lora("kip", {"modelspec.license": "mit"})
    catalog.finish_run(catalog.begin_run("train", {}, [("base", kip.id)]), outputs=[kip.id])
    assert licence_of(catalog, kip).sell_images is UNKNOWN
