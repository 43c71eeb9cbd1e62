"""Recipe to catalogued model with every method but LoRA, and what is drawn with it afterwards."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inference.engine import Engine
from inference.generate import generate
from inference.request import GenerationRequest
from modelhub.catalog import Catalog
from modelhub.headers import read_table
from modelhub.jobs import drain
from modelhub.kinds import Artifact, Kind
from modelhub.workspace import Workspace
from tests.trainers.pictures import write_set
from trainers.recipe import parse_recipe
from trainers.train import train

Pixels = np.ndarray[Any, Any]
METHODS: dict[str, dict[str, Any]] = {
    "textual_inversion": {
        "options": {"token": "mira", "vectors": 2, "learning_rate": 1.0, "keep_norm": False},
        "export": {"formats": ["kohya", "diffusers", "a1111"]},
    },
    "full": {"learning_rate": 1e-2, "prior": {"draw": 2, "caption": "a dog", "frozen": True}},
    "hypernetwork": {"learning_rate": 0.1},
}


class Trained:
    """One training with each method, on one base; looked at by many tests and changed by none."""

    def __init__(self, root: Path, checkpoint: Path) -> None:
        self.root = root
        self.catalog = Catalog.create(Workspace(root))
        self.base = self.catalog.add(checkpoint, name="tiny")
        self.images = write_set(root / "pictures")
        self.before = self.drawn("a mira")
        self.made = {method: self._train(method, entries) for method, entries in METHODS.items()}

    def drawn(self, prompt: str, model: str = "tiny") -> Pixels:
        request = GenerationRequest(prompt=prompt, model=model, seed=3, steps=2)
        (picture,) = drain(generate(request, catalog=self.catalog, engine=Engine("cpu"), out=self.root / "drawn"))
        return np.asarray(picture.image)

    def _train(self, method: str, entries: dict[str, Any]) -> Artifact:
        fields = {
            "method": method, "base": "tiny", "name": f"kip-{method.replace('_', '-')}", "steps": 2, "seed": 1,
            "dataset": {"images": self.images}, "optimizer": {"warmup": 0}, **entries,
        }  # fmt: skip
        return drain(train(parse_recipe(fields, "test"), catalog=self.catalog, device="cpu"))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, checkpoint: Path) -> Iterator[Trained]:
    made = Trained(tmp_path_factory.mktemp("workspace"), checkpoint)
    yield made
    made.catalog.close()


@pytest.mark.parametrize(
    ("method", "kind"),
    [
        ("textual_inversion", Kind.EMBEDDING),
        ("full", Kind.CHECKPOINT),
        ("hypernetwork", Kind.HYPERNETWORK),
    ],
)
def test_what_was_trained_is_catalogued_as_what_it_is(trained: Trained, method: str, kind: Kind) -> None:
    artifact = trained.made[method]

    assert (artifact.facts.kind, artifact.facts.family) == (kind, "sd1")
    assert artifact.path == trained.root / "models" / kind / f"{artifact.name}.safetensors"
    assert read_table(artifact.path).metadata["modelhub.kind"] == kind
    made_by = trained.catalog.lineage(artifact.id).made_by
    assert made_by is not None


def test_a_prompt_that_says_the_token_draws_what_was_learned(trained: Trained) -> None:
    assert not np.array_equal(trained.drawn("a mira"), trained.before)


def test_the_token_is_found_by_the_models_name_too(trained: Trained) -> None:
    assert np.array_equal(trained.drawn("a kip-textual-inversion"), trained.drawn("a mira"))


def test_all_its_files_lie_beside_one_another(trained: Trained) -> None:
    files = sorted(path.name for path in trained.made["textual_inversion"].path.parent.iterdir())

    assert files == [
        "kip-textual-inversion.diffusers.safetensors", "kip-textual-inversion.pt", "kip-textual-inversion.safetensors"
    ]  # fmt: skip


def test_the_checkpoint_draws_other_pictures_in_the_size_of_its_base(trained: Trained) -> None:
    ours, base = trained.drawn("a fox", "kip-full"), trained.drawn("a fox")

    assert ours.shape == base.shape == (64, 64, 3)
    assert not np.array_equal(ours, base)


def test_the_hypernetwork_is_named_in_a_prompt(trained: Trained) -> None:
    assert not np.array_equal(trained.drawn("a fox <hypernet:kip-hypernetwork:1>"), trained.drawn("a fox"))


def test_the_base_draws_what_it_drew_before(trained: Trained, checkpoint: Path) -> None:
    alone = Catalog.create(Workspace(trained.root / "other"))
    alone.add(checkpoint, name="tiny")
    request = GenerationRequest(prompt="a mira", model="tiny", seed=3, steps=2)

    (picture,) = drain(generate(request, catalog=alone, engine=Engine("cpu"), out=trained.root / "other"))

    alone.close()
    assert np.array_equal(np.asarray(picture.image), trained.before)


def test_pictures_of_the_class_were_drawn_once(trained: Trained) -> None:
    (folder,) = (trained.root / "cache" / "class").iterdir()

    assert sorted(path.name for path in folder.iterdir()) == ["00000.png", "00001.png"]
