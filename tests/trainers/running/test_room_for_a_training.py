"""A disk that cannot take what a training writes is told before it begins."""

from pathlib import Path

import pytest

from modelhub.catalog import Catalog
from modelhub.errors import OutOfResources
from tests.trainers.pictures import write_set
from trainers.plan import TrainingPlan, plan_training
from trainers.recipe import parse_recipe
from trainers.running.estimate import disk
from trainers.running.room import shortages
from trainers.running.sizes import written


@pytest.fixture
def plan(catalog: Catalog, checkpoint: Path, tmp_path: Path) -> TrainingPlan:
    catalog.add(checkpoint, name="tiny")
    dataset = {"images": write_set(tmp_path / "set")}
    return plan_training(parse_recipe({"base": "tiny", "name": "kip", "dataset": dataset}, "here"), catalog)


def test_a_disk_with_room_is_enough(plan: TrainingPlan, catalog: Catalog) -> None:
    assert not list(shortages(plan, catalog.workspace))
    assert not list(shortages(plan, catalog.workspace, free=lambda folder: disk(plan)))


def test_each_disk_that_is_too_small_is_told_with_what_is_free(plan: TrainingPlan, catalog: Catalog) -> None:
    runs = list(shortages(plan, catalog.workspace, free=lambda folder: written(plan)))
    both = list(shortages(plan, catalog.workspace, free=lambda folder: 0))

    assert [type(one) for one in both] == [OutOfResources, OutOfResources]
    assert f"into {catalog.workspace.runs}" in runs[0].message
    assert "0 MB are free there" in both[0].message
    assert "--set save.keep=2" in str(runs[0].mend)


def test_a_file_where_a_folder_shall_be_is_told(plan: TrainingPlan, catalog: Catalog) -> None:
    catalog.workspace.runs.write_text("not a folder")

    (error,) = shortages(plan, catalog.workspace)

    assert error.message == f"nothing can be written into {catalog.workspace.runs}"
    assert error.mend == f"ls -ld {catalog.workspace.runs}"
