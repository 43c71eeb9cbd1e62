"""Two processes that train together learn what one learns from the same steps."""

from pathlib import Path

import pytest
import torch
from accelerate.state import AcceleratorState, PartialState
from safetensors.torch import load_file

from modelhub.catalog import Catalog
from modelhub.workspace import Workspace
from tests.hands.together import run_together
from tests.trainers.pictures import write_set
from trainers.recipe import DatasetOptions, LoraOptions, Recipe, write_recipe


@pytest.fixture
def alone() -> None:
    """Children find out for themselves what accelerate has found out here."""
    AcceleratorState._reset_state(reset_partial_state=True)
    PartialState._reset_state()


def recipe(images: Path, **entries: object) -> Recipe:
    """Three pictures a step, so that shares are uneven; the last is in a bucket of its own."""
    return Recipe(
        base="tiny", name="kip", dataset=DatasetOptions(images=images), options=LoraOptions(rank=2),
        validation={"share": 0}, **{"steps": 4, "batch": 3, "learning_rate": 1e-2, **entries},
    )  # fmt: skip


def trained(home: Path, checkpoint: Path, wanted: Recipe, *, processes: int) -> dict[str, torch.Tensor]:
    Catalog.create(Workspace(home)).add(checkpoint, name="tiny")
    write_recipe(wanted, home / "wanted.toml")
    arguments = ["--home", str(home), "train", "lora", "--recipe", str(home / "wanted.toml"), "--device", "cpu"]
    assert run_together(arguments, count=processes) == [True] * processes
    return load_file(home / "models" / "lora" / "kip.safetensors")


@pytest.mark.usefixtures("alone")
def test_two_processes_are_one_with_the_same_steps(checkpoint: Path, tmp_path: Path) -> None:
    images = write_set(tmp_path / "pictures", (64, 64), (64, 64), (64, 64), (64, 128))
    wanted = recipe(images, export={"precision": "fp32"})

    one = trained(tmp_path / "one", checkpoint, wanted, processes=1)
    two = trained(tmp_path / "two", checkpoint, wanted, processes=2)

    assert one.keys() == two.keys()
    for name, tensor in one.items():
        assert (two[name] - tensor).norm() <= 1e-5 * tensor.norm(), name
    with Catalog.open(Workspace(tmp_path / "two")) as catalog:
        run = catalog.last_run("train")
        assert run is not None
        assert (run.id, run.state) == (1, "done")
        assert [artifact.name for artifact in catalog.list()] == ["kip", "tiny"]
