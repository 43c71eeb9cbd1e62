"""Every algorithm from recipe to catalogue, and on from what stands there."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from modelhub.catalog import Catalog
from modelhub.errors import Incompatible, UnknownRef
from modelhub.jobs import Done, Step, drain
from modelhub.kinds import Artifact, Kind
from tests.trainers.pictures import write_set
from trainers.recipe import DatasetOptions, Recipe
from trainers.train import resume, train


@pytest.fixture
def base(catalog: Catalog, checkpoint: Path) -> Artifact:
    return catalog.add(checkpoint, name="tiny")


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_set(tmp_path_factory.mktemp("set") / "pictures", (64, 64), (64, 64))


def recipe(
    images: Path, name: str = "kip", *, seed: int = 4, export: Mapping[str, Any] | None = None, **entries: Any
) -> Recipe:  # fmt: skip
    """`entries` are the method's own."""
    return Recipe.model_validate(
        {
            "base": "tiny", "name": name, "dataset": DatasetOptions(images=images), "steps": 2, "batch": 1,
            "seed": seed, "learning_rate": 1e-2, "validation": {"share": 0.0}, "options": {"rank": 2, **entries},
            "export": export or {},
        }
    )  # fmt: skip


@pytest.mark.parametrize(
    ("entries", "algorithm"),
    [
        ({"conv_rank": 2, "plus_ratio": 4, "max_norm": 1}, "locon"),
        ({"dora": True, "dropout": 0.2, "module_dropout": 0.2}, "dora"),
        ({"algorithm": "loha", "rank_dropout": 0.2}, "loha"),
        ({"algorithm": "lokr", "rank": 1}, "lokr"),
        ({"algorithm": "oft", "rank": 4}, "oft"),
    ],
)
def test_every_algorithm_ends_as_a_model_of_its_kind(
    catalog: Catalog, base: Artifact, images: Path, entries: Mapping[str, Any], algorithm: str
) -> None:
    artifact = drain(train(recipe(images, **entries), catalog=catalog, device="cpu"))

    assert (artifact.facts.kind, artifact.facts.algorithm) == (Kind.LORA, algorithm)


def test_diffusers_file_stands_beside(catalog: Catalog, base: Artifact, images: Path) -> None:
    artifact = drain(
        train(recipe(images, export={"formats": ["kohya", "diffusers"]}), catalog=catalog, device="cpu")
    )  # fmt: skip

    beside = load_file(artifact.path.with_name("kip.diffusers.safetensors"))
    assert {name.partition(".")[0] for name in beside} == {"unet", "text_encoder"}


def test_with_dropouts_a_resumed_training_is_the_same_training(
    catalog: Catalog, base: Artifact, images: Path
) -> None:  # fmt: skip
    entries = {"dropout": 0.3, "rank_dropout": 0.3, "module_dropout": 0.3}
    whole = drain(train(recipe(images, "whole", **entries), catalog=catalog, device="cpu"))
    job = train(recipe(images, "parted", **entries), catalog=catalog, device="cpu")
    next(event for event in job if isinstance(event, Step))
    job.close()  # type: ignore[attr-defined]
    parted = catalog.last_run("train")
    assert parted is not None

    again = drain(resume(parted.id, catalog=catalog, device="cpu"))

    one, other = load_file(whole.path), load_file(again.path)
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_training_goes_on_from_a_model_of_the_catalog(catalog: Catalog, base: Artifact, images: Path) -> None:
    first = drain(train(recipe(images), catalog=catalog, device="cpu"))

    second = drain(train(recipe(images, "more", seed=5, start="kip"), catalog=catalog, device="cpu"))

    run = catalog.lineage(second.id).made_by
    assert run is not None
    assert run.inputs == (("base", base.id), ("start", first.id))
    assert run.payload["options"]["start"] == catalog.sha256(first)
    before, after = load_file(first.path), load_file(second.path)
    moved = [(after[name] - before[name]).abs().max() for name in before if name.endswith("weight")]
    assert all(0 < one < 0.03 for one in moved)


def test_a_start_that_is_not_there_is_told_before_anything_is_loaded(
    catalog: Catalog, base: Artifact, images: Path
) -> None:  # fmt: skip
    with pytest.raises(UnknownRef):
        drain(train(recipe(images, start="nobody"), catalog=catalog, device="cpu"))


def test_a_start_of_another_rank_is_told_with_what_to_do(catalog: Catalog, base: Artifact, images: Path) -> None:
    drain(train(recipe(images), catalog=catalog, device="cpu"))

    with pytest.raises(Incompatible, match="cannot go on from kip") as caught:
        drain(train(recipe(images, "more", start="kip", rank=4), catalog=catalog, device="cpu"))

    assert str(caught.value.mend).startswith("modelhub show kip")


def test_new_words_come_with_it(catalog: Catalog, base: Artifact, images: Path) -> None:
    events = list(train(recipe(images, pivotal={"token": "mira", "vectors": 2}), catalog=catalog, device="cpu"))

    assert isinstance(events[-1], Done)
    assert load_file(catalog.workspace.models / "embedding" / "kip-words.safetensors")["emb_params"].shape == (2, 16)
