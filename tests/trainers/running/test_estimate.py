"""What a training takes is told from its plan: counted on the published models, and on tiny ones by hand."""

from dataclasses import replace
from pathlib import Path

import pytest

from inference.plan import ModelPlan
from inference.weights.parts import UNET, Part
from modelhub.catalog import Catalog
from modelhub.families import family
from tests.trainers.pictures import write_set
from trainers.methods.lora import prepare
from trainers.plan import TrainingPlan, plan_training
from trainers.recipe import Recipe, parse_recipe
from trainers.running import estimate as estimating
from trainers.running.announcing import learning_told, span
from trainers.running.estimate import describe, estimate


def recipe(images: Path, **entries: object) -> Recipe:
    fields = {"base": "tiny", "name": "kip", "steps": 10, "batch": 2, "dataset": {"images": images}}
    return parse_recipe({**fields, **entries}, "here")


@pytest.fixture
def images(tmp_path: Path) -> Path:
    return write_set(tmp_path / "pictures")


@pytest.fixture
def base(catalog: Catalog, checkpoint: Path) -> int:
    return catalog.add(checkpoint, name="tiny").id


def bytes_of(role: str) -> int:
    return 4


def test_steps_epochs_and_pictures_are_told(catalog: Catalog, base: int, images: Path) -> None:
    found = estimate(plan_training(recipe(images), catalog), bytes_of)

    assert (found.steps, found.epochs, found.pictures, found.shown) == (10, 5, 3, 20)
    assert "10 steps of 2 pictures: 3 pictures, 5 epochs" in describe(found)


@pytest.mark.parametrize(
    ("options", "rates"),
    [
        ({}, {}),
        ({}, {"text_encoder_learning_rate": 0.0}),
        ({"layers": "attention"}, {}),
        ({"conv_rank": 2}, {}),
        ({"block_ranks": {"M00": 0, "IN01": 5}}, {}),
        ({"pivotal": {"vectors": 2}}, {}),
    ],
)
def test_so_many_numbers_learn_as_a_lora_has(
    catalog: Catalog, base: int, images: Path, options: dict[str, object], rates: dict[str, float]
) -> None:
    from inference.engine import Engine

    plan = plan_training(recipe(images, options={"rank": 3, **options}, **rates), catalog)
    trainee = prepare(Engine("cpu").prepare(plan.base), plan.base, plan.recipe)
    numbers = sum(one.numel() for group in trainee.groups() for one in group.parameters)
    trainee.detach()

    assert estimate(plan, bytes_of).trainable == numbers


def published(plan: TrainingPlan, name: str, channels: int, parameters: float) -> ModelPlan:
    """A plan of a model as large as the published one of a family; no such file is there."""
    unet = plan.base.parts[UNET]
    sizes = {**unet.config, "block_out_channels": (channels,)}
    part = Part(UNET, unet.component, sizes, unet.path, {}, {"all": (round(parameters),)})
    return replace(plan.base, family=family(name), parts={UNET: part})


@pytest.mark.parametrize(
    ("name", "parameters", "side", "tera"),
    [
        ("sd1", 859.5e6, 512, 1.75),
        ("sd1", 859.5e6, 768, 2.148 * 2.15),
        ("sdxl", 2567.5e6, 1024, 14.35),
        ("sdxl", 2567.5e6, 768, 7.54),
        ("sdxl", 2567.5e6, 512, 3.21),
    ],
)
def test_operations_are_those_that_were_counted_on_published_models(
    catalog: Catalog, base: int, images: Path, name: str, parameters: float, side: int, tera: float
) -> None:
    """A picture there and back, of a LoRA of rank 16."""
    plan = plan_training(recipe(images, dataset={"images": images, "resolution": side}), catalog)
    large = replace(plan, load=replace(plan.load, base=published(plan, name, 320, parameters)))

    assert estimating._operations(large) / 1e12 == pytest.approx(tera, rel=0.04)


def test_checkpointing_and_smaller_pieces_need_less_memory(catalog: Catalog, base: int, images: Path) -> None:
    def memory(**compute: object) -> int:
        return estimate(plan_training(recipe(images, batch=8, compute=compute), catalog), bytes_of).memory

    assert memory(micro_batch=1) < memory(checkpointing=True) < memory()


def test_copies_take_room_on_the_disk(catalog: Catalog, base: int, images: Path) -> None:
    def disk(**save: int) -> int:
        return estimate(plan_training(recipe(images, save=save), catalog), bytes_of).disk

    assert disk() < disk(every=2, keep=1) < disk(every=2)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"rank": 16}, "learning rate 0.0005 x alpha 8 / rank 16 = 0.00025; text encoder 0.0001"),
        ({"rank": 16, "alpha": 16.0, "rank_stabilized": True}, "x alpha 16 / rank 16 = 0.002"),
        ({"algorithm": "oft"}, "learning rate 0.0005; text encoder"),
    ],
)
def test_a_learning_rate_is_told_by_what_it_comes_to(images: Path, options: dict[str, object], told: str) -> None:
    assert told in learning_told(recipe(images, options=options))


@pytest.mark.parametrize(("seconds", "text"), [(40, "40 s"), (720, "12 min"), (12_000, "3 h 20 min")])
def test_times_are_told_as_people_say_them(seconds: float, text: str) -> None:
    assert span(seconds) == text
