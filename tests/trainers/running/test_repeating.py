"""A training is repeated from its own file, with the very same pictures or not at all."""

import json
from pathlib import Path

import pytest
from safetensors.torch import load_file

from inference.weights.save import save_tensors
from modelhub.catalog import Catalog
from modelhub.errors import BadValue, Incompatible
from modelhub.jobs import drain
from modelhub.kinds import Artifact
from modelhub.workspace import Workspace
from tests import tiny
from tests.trainers.pictures import write_picture, write_set
from trainers.plan import plan_training
from trainers.recipe import Recipe, parse_recipe
from trainers.running.repeating import check_same_pictures, retold
from trainers.running.results import renamed
from trainers.train import train

MODULES = {"lora_unet_down_blocks_0_attentions_0_proj_in": (8, 8)}


def recipe(images: Path) -> Recipe:
    fields = {"base": "tiny", "name": "kip", "steps": 1, "dataset": {"images": images}, "options": {"rank": 1}}
    return parse_recipe(fields, "here")


@pytest.fixture
def images(tmp_path: Path) -> Path:
    return write_set(tmp_path / "pictures")


@pytest.fixture
def trained(catalog: Catalog, checkpoint: Path, images: Path) -> Artifact:
    catalog.add(checkpoint, name="tiny")
    return drain(train(recipe(images), catalog=catalog, device="cpu"))


def test_a_file_trains_again_to_the_same_tensors(catalog: Catalog, trained: Artifact, images: Path) -> None:
    fields = retold(trained.path, catalog)
    again = renamed(parse_recipe(fields, trained.name), catalog)

    made = drain(train(again, catalog=catalog, device="cpu", like=trained.path))

    assert (made.name, again.dataset.images) == ("kip-2", images)
    ours, theirs = load_file(made.path), load_file(trained.path)
    assert all(one.equal(theirs[name]) for name, one in ours.items())


def test_where_nobody_saw_it_made_the_folder_must_be_named(tmp_path: Path, trained: Artifact) -> None:
    with Catalog.create(Workspace(tmp_path / "other")) as other:
        assert "images" not in {name for name, value in retold(trained.path, other)["dataset"].items() if value}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda folder: (folder / "1.txt").write_text("another"), "1.png has another caption"),
        (lambda folder: (folder / "2.png").unlink(), "the picture of SHA-256 [0-9a-f]{12} is missing"),
        (lambda folder: write_picture(folder / "9.png", shade=9), "9.png was not among them, or was edited"),
    ],
)
def test_other_pictures_or_captions_are_refused_by_name(
    catalog: Catalog, trained: Artifact, images: Path, change: object, told: str
) -> None:
    change(images)  # type: ignore[operator]

    with pytest.raises(Incompatible, match=rf"not the pictures that kip\.safetensors was trained on: .*{told}"):
        check_same_pictures(plan_training(recipe(images), catalog), trained.path)


def test_a_file_that_tells_of_no_training_is_refused(catalog: Catalog, tmp_path: Path) -> None:
    path = tiny.write_lora(tmp_path / "stranger.safetensors", MODULES)

    with pytest.raises(BadValue, match=r"stranger\.safetensors does not tell how it was trained"):
        retold(path, catalog)


def test_what_an_older_version_wrote_is_read(catalog: Catalog, tmp_path: Path) -> None:
    told = {"schema": 1, "base": "3", "name": "kip", "warmup": 0.5, "dataset": {"images": "pictures", "flip": True}}
    path = tmp_path / "old.safetensors"
    save_tensors(path, tiny.lora_tensors(MODULES), {"modelhub.recipe": json.dumps(told)})

    fields = retold(path, catalog)

    assert (fields["optimizer"]["warmup"], fields["dataset"]["augment"]["flip"]) == (0.5, True)
