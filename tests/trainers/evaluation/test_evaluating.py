"""A run's copies are drawn, measured and judged, and the best pair is noted where `generate` finds it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from inference.plan import resolve
from inference.request import GenerationRequest, LoraUse
from modelhub.catalog import Catalog
from modelhub.errors import BadValue
from modelhub.jobs import Notice, drain
from modelhub.workspace import Workspace
from tests.trainers.pictures import write_set
from trainers.evaluation.evaluate import Evaluation, Judging, evaluate
from trainers.recipe import DatasetOptions, LoraOptions, Recipe, SaveOptions
from trainers.train import train

QUICK = Judging(strengths=(0.5, 1.0), prompts=("ramp, blue",), seeds=2, steps=1)


class Judged:
    """A training of 4 steps with a copy after 2, judged once."""

    def __init__(self, root: Path, checkpoint: Path, images: Path) -> None:
        self.catalog = Catalog.create(Workspace(root))
        self.catalog.add(checkpoint, name="tiny")
        recipe = Recipe(
            base="tiny", name="kip", dataset=DatasetOptions(images=images), steps=4, learning_rate=1e-2,
            options=LoraOptions(rank=2), save=SaveOptions(every=2),
        )  # fmt: skip
        self.trained = drain(train(recipe, catalog=self.catalog, device="cpu"))
        run = self.catalog.last_run("train")
        assert run is not None
        self.run = run.id
        self.found: Evaluation = drain(evaluate(self.run, QUICK, catalog=self.catalog, device="cpu"))


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory, checkpoint: Path) -> Iterator[Judged]:
    root = tmp_path_factory.mktemp("evaluated")
    images = write_set(root / "pictures", *[(64, 64)] * 12)
    made = Judged(root / "home", checkpoint, images)
    yield made
    made.catalog.close()


def test_every_copy_is_measured_at_every_strength(judged: Judged) -> None:
    cells = judged.found.cells

    assert [(one.step, one.strength) for one in cells] == [(2, 0.5), (2, 1.0), (4, 0.5), (4, 1.0)]
    assert all(0 < one.likeness <= 1 and 0 <= one.percentile <= 1 and one.drift > 0 for one in cells)
    assert len({one.loss for one in cells}) == 4


def test_held_out_losses_are_pair_by_pair_and_those_of_the_base_beside_them(judged: Judged) -> None:
    lengths = {len(one.losses) for one in judged.found.cells} | {len(judged.found.base_losses)}

    assert lengths == {16}
    assert all(one.losses != judged.found.base_losses for one in judged.found.cells)


def test_likeness_has_a_scale_from_what_the_base_draws_to_pictures_that_were_held_out(judged: Judged) -> None:
    real = judged.found.real_likeness

    assert real is not None
    assert 0.5 < real < 1
    assert 0 < judged.found.base_likeness < 0.9 * real


def test_the_best_pair_is_what_generate_takes_without_a_number(judged: Judged) -> None:
    best, artifact = judged.found.verdict.cell, judged.found.artifact

    assert artifact.weight == best.strength
    assert judged.catalog.lineage(judged.trained.id).made_by is not None
    request = GenerationRequest(prompt="x", model="tiny", loras=(LoraUse.parse(artifact.name),), seed=1)
    (use,) = resolve(request, judged.catalog).request.loras
    assert (use.unet, use.text_encoder) == (best.strength, best.strength)
    assert judged.catalog.artifact(judged.trained.id).weight in QUICK.strengths


def test_what_was_measured_lies_in_the_runs_folder(judged: Judged) -> None:
    told = json.loads(judged.found.table.read_text())

    assert judged.found.table.parent.parent.name == f"{judged.run:04d}-kip"
    assert told["best"]["why"] == judged.found.verdict.reason
    assert [one["likeness"] for one in told["cells"]] == [one.likeness for one in judged.found.cells]
    with Image.open(judged.found.sheet) as sheet:
        assert sheet.width > 3 * 64
        assert sheet.height > 2 * 64


def test_the_same_evaluation_gives_the_same_figures(judged: Judged) -> None:
    assert drain(evaluate(judged.run, QUICK, catalog=judged.catalog, device="cpu")).cells == judged.found.cells


def test_a_run_that_made_nothing_or_is_no_training_is_refused(judged: Judged) -> None:
    other = judged.catalog.begin_run("generate", {}, [])
    with pytest.raises(BadValue, match="is no training"):
        next(evaluate(other, QUICK, catalog=judged.catalog))


def test_a_small_set_is_judged_without_held_out_pictures_and_says_so(
    catalog: Catalog, checkpoint: Path, tmp_path: Path
) -> None:
    catalog.add(checkpoint, name="tiny")
    images = write_set(tmp_path / "few")
    recipe = Recipe(
        base="tiny", name="kip", dataset=DatasetOptions(images=images), steps=1, options=LoraOptions(rank=2)
    )
    drain(train(recipe, catalog=catalog, device="cpu"))
    run = catalog.last_run("train")
    assert run is not None

    *events, _ = evaluate(run.id, Judging((1.0,), ("x",), seeds=1, steps=1), catalog=catalog, device="cpu")

    assert Notice("no pictures were held out: copies are judged by likeness and drift alone") in events
