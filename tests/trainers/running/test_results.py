"""A training that makes several models in several formats: where they lie, and what they are called."""

from pathlib import Path

import pytest

from modelhub.catalog import Catalog
from modelhub.headers import read_table
from modelhub.jobs import drain
from modelhub.kinds import Kind
from tests.trainers.pictures import write_set
from trainers.recipe import Recipe, parse_recipe
from trainers.running.results import clear_leftover, kind_of
from trainers.train import train


def recipe(images: Path, **entries: object) -> Recipe:
    return parse_recipe({"base": "tiny", "name": "kip", "steps": 1, "dataset": {"images": images}, **entries}, "")


@pytest.mark.parametrize(
    ("entries", "kind"),
    [
        ({}, Kind.LORA),
        ({"method": "textual_inversion"}, Kind.EMBEDDING),
        ({"method": "hypernetwork"}, Kind.HYPERNETWORK),
        ({"method": "full"}, Kind.CHECKPOINT),
        ({"method": "full", "options": {"keeps": "unet"}}, Kind.UNET),
    ],
)
def test_a_recipe_says_what_it_makes(entries: dict[str, object], kind: Kind) -> None:
    assert kind_of(recipe(Path("pictures"), **entries)) is kind


def test_a_lora_with_words_is_two_models_and_each_format_a_file(
    catalog: Catalog, checkpoint: Path, tmp_path: Path
) -> None:
    catalog.add(checkpoint, name="tiny")
    options = {"rank": 1, "pivotal": {"token": "mira", "vectors": 2}}
    wanted = recipe(write_set(tmp_path / "set"), options=options, export={"formats": ["kohya", "diffusers", "a1111"]})

    made = drain(train(wanted, catalog=catalog, device="cpu"))

    run = catalog.last_run("train")
    assert run is not None
    kinds = {catalog.artifact(number).name: catalog.artifact(number).facts.kind for number in run.outputs}
    assert (made.name, kinds["kip"]) == ("kip", Kind.LORA)
    assert sorted(kinds.values()) == [Kind.EMBEDDING, Kind.LORA]
    models = catalog.workspace.models
    assert sorted(path.name for path in (models / "lora").iterdir()) == ["kip.diffusers.safetensors", "kip.safetensors"]
    assert {path.suffix for path in (models / "embedding").iterdir()} == {".safetensors", ".pt"}
    (word,) = (number for number in run.outputs if number != made.id)
    assert "mira" in catalog.artifact(word).aliases


def test_files_that_a_killed_training_had_no_time_to_catalogue_are_cleared(
    catalog: Catalog, checkpoint: Path, tmp_path: Path
) -> None:
    catalog.add(checkpoint, name="tiny")
    wanted = recipe(write_set(tmp_path / "set"), options={"rank": 1})
    made = drain(train(wanted, catalog=catalog, device="cpu"))
    run = catalog.last_run("train")
    assert run is not None
    resolved = parse_recipe({key: value for key, value in run.payload.items() if key != "schema"}, "")
    clear_leftover(resolved, catalog)
    assert made.path.is_file()

    left = made.path.with_name("kip-mira.safetensors")
    left.write_bytes(made.path.read_bytes())
    assert read_table(left).metadata["modelhub.recipe"]
    clear_leftover(resolved, catalog)

    assert not left.exists()
    assert made.path.is_file()
