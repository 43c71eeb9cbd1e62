"""What can be wrong with a training is told while nothing is loaded, and what is told soonest comes first."""

import subprocess
import sys
from pathlib import Path

import pytest

from modelhub.catalog import Catalog
from modelhub.errors import BadValue, Incompatible, MissingFile, NameTaken
from modelhub.jobs import Progress, drain
from tests.trainers.pictures import write_set
from trainers.beginning import begin, check_judgeable, check_resumable, going_on, in_the_way
from trainers.plan import plan_training
from trainers.recipe import Recipe, parse_recipe
from trainers.running.header import pictures
from trainers.running.runs import RunFolder

_WRONG = """
import sys
from cli.app import main

heavy = ("torch", "diffusers", "transformers")
for words in {commands!r}:
    code = main(words)
    print(code, [one for one in heavy if one in sys.modules])
"""
"""Command lines of one process, each with its exit code and what of the model libraries is loaded by then."""


@pytest.fixture
def base(catalog: Catalog, checkpoint: Path) -> int:
    return catalog.add(checkpoint, name="tiny").id


@pytest.fixture
def images(tmp_path: Path) -> Path:
    return write_set(tmp_path / "set")


def recipe(images: Path, **entries: object) -> Recipe:
    return parse_recipe({"base": "tiny", "name": "kip", "dataset": {"images": images}, **entries}, "here")


def changed_since(images: Path, catalog: Catalog) -> int:
    """An interrupted training, one of whose captions is another now."""
    plan = plan_training(recipe(images), catalog)
    run = catalog.begin_run("train", plan.recipe.payload(), plan.inputs)
    RunFolder.of(catalog.workspace, run, "kip").begin(plan.recipe, pictures(plan.samples))
    catalog.finish_run(run, state="interrupted", outputs=[])
    next(images.glob("*.txt")).write_text("something else", encoding="utf-8")
    return run


def test_what_is_wrong_is_told_before_torch_is_loaded(catalog: Catalog, base: int, images: Path) -> None:
    run = catalog.begin_run("generate", {}, ())
    unfinished = catalog.begin_run("train", {"name": "kip"}, ())
    stopped = changed_since(images, catalog)
    lora = ["train", "lora", "--device", "cpu", "--base", "tiny", "--images"]
    commands = [
        [*lora, str(images / "nowhere")],
        [*lora, str(images), "--set", "options.block_ranks.IN11=4"],
        [*lora, str(images), "--set", "noise.largest_timestep=2000", "--dry-run"],
        [*lora, str(images), "--optimizer", "foo"],
        ["train", "range", "--base", "tiny", "--images", str(images / "nowhere")],
        ["train", "resume", str(run)],
        ["train", "evaluate", str(run)],
        ["train", "evaluate", "99"],
        ["train", "evaluate", str(unfinished)],
        ["train", "resume", str(stopped)],
        ["train", "blocks", "nobody"],
    ]
    code = _WRONG.format(commands=commands)
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert [line.partition(" ")[2] for line in said.splitlines()] == ["[]"] * len(commands)
    assert not any(line.startswith("0 ") for line in said.splitlines())


def test_the_base_is_judged_before_its_pictures_are(catalog: Catalog, base: int, tmp_path: Path) -> None:
    with pytest.raises(BadValue, match="tiny has no block IN11"):
        drain(begin(recipe(tmp_path / "nowhere", options={"block_ranks": {"IN11": 4}}), catalog=catalog))
    with pytest.raises(MissingFile, match="nowhere"):
        drain(begin(recipe(tmp_path / "nowhere"), catalog=catalog))


def test_what_begins_is_planned_with_what_the_doctor_says(catalog: Catalog, base: int, images: Path) -> None:
    begun = drain(begin(recipe(images, steps=7), catalog=catalog))

    assert begun.plan.recipe.steps == 7
    assert any("mend: " in one for one in begun.told)
    assert not in_the_way(begun.plan, catalog)


def test_the_doctors_visit_tells_how_far_it_is(catalog: Catalog, base: int, images: Path) -> None:
    *events, _ = begin(recipe(images), catalog=catalog)

    assert [(one.task, one.done, one.total) for one in events if isinstance(one, Progress)] == [
        ("dataset", 1, 3), ("dataset", 2, 3), ("dataset", 3, 3),
    ]  # fmt: skip


def test_what_a_recipe_says_to_no_effect_is_told(catalog: Catalog, base: int, images: Path) -> None:
    found = drain(begin(recipe(images, prior={"weight": 0.5}), catalog=catalog))

    assert found.told[-1].startswith("prior.weight = 0.5 has no effect without pictures of the class")


def test_what_is_changed_since_is_not_gone_on_with(catalog: Catalog, base: int, images: Path) -> None:
    folder = check_resumable(changed_since(images, catalog), catalog)

    with pytest.raises(Incompatible, match="has another caption"):
        going_on(folder, folder.read_recipe(), catalog)


def test_a_run_without_copies_is_not_judged(catalog: Catalog) -> None:
    run = catalog.begin_run("train", {"name": "kip"}, ())

    with pytest.raises(BadValue, match=f"run {run} has made no copy yet"):
        check_judgeable(run, catalog)


def test_a_name_that_is_taken_is_in_the_way(catalog: Catalog, base: int, images: Path) -> None:
    wanted = recipe(images, name="tiny", method="full")

    with pytest.raises(NameTaken):
        drain(begin(wanted, catalog=catalog))
    told = in_the_way(plan_training(wanted, catalog), catalog)
    assert [type(one) for one in told] == [NameTaken]


def test_a_run_that_is_no_training_is_not_gone_on_with(catalog: Catalog) -> None:
    run = catalog.begin_run("generate", {}, ())

    with pytest.raises(BadValue, match=f"run {run} is no training"):
        check_resumable(run, catalog)
