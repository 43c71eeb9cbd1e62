"""So many numbers learn, and so many bytes are written, as a plan says before anything is loaded."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from inference.engine import Engine
from modelhub.catalog import Catalog
from modelhub.headers import read_table
from modelhub.workspace import Workspace
from tests.trainers.pictures import write_set
from trainers.methods import Trainee, full, hypernetwork, lora, textual_inversion
from trainers.methods._lora.sizes import factor_shapes
from trainers.plan import TrainingPlan, plan_training
from trainers.recipe import LoraOptions, parse_recipe
from trainers.running.exporting import write
from trainers.running.sizes import trainable, written

_PREPARE = {
    "lora": lora.prepare, "full": full.prepare, "hypernetwork": hypernetwork.prepare,
    "textual_inversion": textual_inversion.prepare,
}  # fmt: skip
LORAS: tuple[dict[str, Any], ...] = (
    {},
    {"text_encoder_learning_rate": 0.0},
    {"export": {"precision": "fp32"}},
    {"export": {"formats": ("kohya", "diffusers")}},
    {"options": {"layers": "attention"}},
    {"options": {"conv_rank": 5}},
    {"options": {"block_ranks": {"IN01": 7, "OUT03": 0}, "conv_rank": 3}},
    {"options": {"block_rates": {"IN01": 0}}},
    {"options": {"algorithm": "loha", "conv_rank": 2}},
    {"options": {"algorithm": "lokr", "conv_rank": 2}},
    {"options": {"algorithm": "lokr", "rank": 1, "factor": 2}},
    {"options": {"algorithm": "oft", "conv_rank": 4}},
    {"options": {"dora": True, "conv_rank": 2}},
    {"options": {"algorithm": "lokr", "dora": True}},
    {"options": {"pivotal": {"vectors": 3}}, "export": {"formats": ("kohya", "diffusers", "a1111")}},
)
OTHERS: tuple[dict[str, Any], ...] = (
    {"method": "textual_inversion", "options": {"vectors": 5}},
    {"method": "hypernetwork"},
    {"method": "hypernetwork", "options": {"structure": (1, 1.5, 2, 1), "layer_norm": True, "activation": "relu"}},
    {"method": "full"},
    {"method": "full", "text_encoder_learning_rate": 1e-6},
    {"method": "full", "options": {"attention_only": True}},
    {"method": "full", "options": {"keeps": "unet"}},
)


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory, checkpoint: Path) -> Iterator[Catalog]:
    with Catalog.create(Workspace(tmp_path_factory.mktemp("sizes"))) as opened:
        opened.add(checkpoint, name="tiny")
        yield opened


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_set(tmp_path_factory.mktemp("pictures"))


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine("cpu")


def planned(catalog: Catalog, images: Path, entries: dict[str, Any]) -> TrainingPlan:
    options = {"rank": 4, **entries.get("options", {})} if "method" not in entries else entries.get("options", {})
    fields = {"base": "tiny", "name": "kip", "steps": 10, "dataset": {"images": images}, **entries, "options": options}
    return plan_training(parse_recipe(fields, "here"), catalog)


def prepared(plan: TrainingPlan, engine: Engine) -> Trainee:
    found: Trainee = _PREPARE[plan.recipe.method](engine.prepare(plan.base), plan.base, plan.recipe)
    return found


def learning(trainee: Trainee) -> int:
    return sum(one.numel() for group in trainee.groups() for one in group.parameters)


def bytes_of_tensors(paths: list[Path]) -> int:
    return sum(one.end - one.start for path in paths for one in read_table(path).tensors.values())


@pytest.mark.parametrize("entries", LORAS, ids=str)
def test_an_adapter_is_as_large_as_its_plan_says(
    catalog: Catalog, images: Path, engine: Engine, tmp_path: Path, entries: dict[str, Any]
) -> None:
    plan = planned(catalog, images, entries)
    trainee = prepared(plan, engine)
    try:
        files = [one.path for one in write(plan, trainee, 10, "kip", lambda kind: tmp_path / kind)]
    finally:
        trainee.detach()

    beside = sum(path.stat().st_size for path in files if path.suffix == ".pt")
    tensors = bytes_of_tensors([path for path in files if path.suffix != ".pt"])
    assert trainable(plan) == learning(trainee)
    assert tensors <= written(plan) <= tensors + beside


@pytest.mark.parametrize("entries", OTHERS, ids=str)
def test_so_many_numbers_of_other_methods_learn(
    catalog: Catalog, images: Path, engine: Engine, entries: dict[str, Any]
) -> None:
    plan = planned(catalog, images, entries)
    trainee = prepared(plan, engine)
    trainee.detach()

    assert trainable(plan) == learning(trainee)


@pytest.mark.parametrize("entries", [one for one in LORAS if "pivotal" not in one.get("options", {})], ids=str)
def test_the_factors_of_every_layer_have_the_shapes_that_are_reckoned_with(
    catalog: Catalog, images: Path, engine: Engine, entries: dict[str, Any]
) -> None:
    plan = planned(catalog, images, entries)
    trainee = prepared(plan, engine)
    trainee.detach()

    assert isinstance(trainee, lora.Lora)
    assert isinstance(plan.recipe.options, LoraOptions)
    shapes = {
        place: {name: tuple(tensor.shape) for name, tensor in joint.factors.entries().items()}
        for place, joint in trainee._joints.items()
    }
    assert shapes == {place: factor_shapes(place, plan.recipe.options) for place in shapes}
