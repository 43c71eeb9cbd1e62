"""Pictures of the class: drawn once for a base, each by its own seed, and learned from as regularisation."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from inference.engine import Engine
from inference.generate import generate
from inference.request import GenerationRequest
from modelhub.catalog import Catalog
from modelhub.errors import BadValue
from modelhub.jobs import Progress, drain
from modelhub.kinds import Artifact
from tests.trainers.pictures import write_set
from trainers.plan import plan_training
from trainers.prior import with_class_pictures
from trainers.recipe import DatasetOptions, FullOptions, PriorOptions, Recipe


@pytest.fixture
def base(catalog: Catalog, checkpoint: Path) -> Artifact:
    return catalog.add(checkpoint, name="tiny")


@pytest.fixture
def images(tmp_path: Path) -> Path:
    return write_set(tmp_path / "pictures")


def recipe(pictures: Path, draw: int = 2, regularisation: Path | None = None, **prior: Any) -> Recipe:
    return Recipe(
        method="full", base="tiny", name="kip", options=FullOptions(), steps=2,
        dataset=DatasetOptions(images=pictures, regularisation=regularisation),
        prior=PriorOptions(**{"draw": draw, "caption": "a dog", **prior}),
    )  # fmt: skip


def followed(recipe: Recipe, catalog: Catalog) -> tuple[Recipe, list[float]]:
    """What comes of it, and how many pictures were told of at each."""
    job, told = with_class_pictures(recipe, catalog=catalog, device="cpu"), []
    while True:
        try:
            event = next(job)
        except StopIteration as end:
            return end.value, told
        told += [event.done] if isinstance(event, Progress) else []


def drawn(recipe: Recipe, catalog: Catalog) -> tuple[Recipe, list[Path]]:
    found, _ = followed(recipe, catalog)
    assert found.dataset.regularisation
    return found, sorted(found.dataset.regularisation.iterdir())


@pytest.mark.usefixtures("base")
def test_they_are_what_generate_draws_with_their_numbers_for_seeds(
    images: Path, catalog: Catalog, tmp_path: Path
) -> None:
    _, (first, second) = drawn(recipe(images), catalog)

    request = GenerationRequest(prompt="a dog", model="tiny", seed=1)
    (same,) = drain(generate(request, catalog=catalog, engine=Engine("cpu"), out=tmp_path))
    assert np.array_equal(np.asarray(Image.open(second)), np.asarray(same.image))
    assert not np.array_equal(np.asarray(Image.open(first)), np.asarray(same.image))


@pytest.mark.usefixtures("base")
def test_they_are_learned_from_as_the_class(images: Path, catalog: Catalog) -> None:
    wanted, _ = drawn(recipe(images, weight=0.5), catalog)

    plan = plan_training(wanted, catalog)

    priors = [item for item in plan.items if item.prior]
    assert [plan.samples[item.sample].caption for item in priors] == ["a dog"] * 2
    assert {item.weight for item in priors} == {0.5}


@pytest.mark.usefixtures("base")
def test_what_is_there_is_not_drawn_again(images: Path, catalog: Catalog) -> None:
    _, (first, second) = drawn(recipe(images), catalog)
    before = second.read_bytes()
    second.unlink()
    first.write_bytes(b"kept")

    _, told = followed(recipe(images), catalog)

    assert first.read_bytes() == b"kept"
    assert second.read_bytes() == before
    assert told == [1, 2]
    assert followed(recipe(images), catalog)[1] == []


@pytest.mark.usefixtures("base")
def test_another_class_number_or_size_is_drawn_elsewhere(images: Path, catalog: Catalog) -> None:
    small = recipe(images, 1)
    large = small.model_copy(update={"dataset": small.dataset.model_copy(update={"resolution": (64, 128)})})
    others = (small, recipe(images, 1, caption="a cat"), recipe(images, 2), large)

    folders = {drawn(one, catalog)[0].dataset.regularisation for one in others}

    assert len(folders) == 4
    (picture,) = drawn(large, catalog)[1]
    assert Image.open(picture).size == (128, 128)


@pytest.mark.usefixtures("base")
def test_a_recipe_that_has_them_is_drawn_for_into_the_same_folder(
    images: Path, catalog: Catalog, tmp_path: Path
) -> None:
    wanted, pictures = drawn(recipe(images, images=tmp_path / "dogs"), catalog)
    pictures[0].unlink()

    again, there = drawn(wanted, catalog)

    assert again == wanted
    assert there == pictures == [tmp_path / "dogs" / "00000.png", tmp_path / "dogs" / "00001.png"]


@pytest.mark.usefixtures("base")
def test_a_folder_of_class_pictures_and_more_to_draw_contradict(images: Path, catalog: Catalog) -> None:
    with pytest.raises(BadValue, match="and 2 more are to be drawn"):
        plan_training(recipe(images, regularisation=images), catalog)


@pytest.mark.usefixtures("base")
def test_a_recipe_that_had_another_number_drawn_is_drawn_for_anew(images: Path, catalog: Catalog) -> None:
    before, _ = drawn(recipe(images, draw=1), catalog)
    wanted = recipe(images, regularisation=before.dataset.regularisation)
    plan_training(wanted, catalog)

    assert len(drawn(wanted, catalog)[1]) == 2


def test_nothing_is_done_where_nothing_is_asked_for(images: Path, catalog: Catalog) -> None:
    wanted = recipe(images, 0)

    assert followed(wanted, catalog) == (wanted, [])


def test_they_are_not_drawn_from_nothing() -> None:
    with pytest.raises(ValidationError, match="drawn from its caption"):
        PriorOptions(draw=2)
