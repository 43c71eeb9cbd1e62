"""What a training does before its first step, against one pass of diffusers' script over the same pictures."""

import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from benchmarks._figure import Figure, seconds_in_turn
from inference.conditioning.reading import Reading
from inference.engine import Engine
from inference.weights.parts import TEXT_ENCODER, VAE
from modelhub import starter
from modelhub.catalog import Catalog
from modelhub.jobs import drain
from modelhub.workspace import Workspace
from trainers.dataset.glances import Glances
from trainers.doctor import examine, orders_of
from trainers.doctor.before import before_training
from trainers.material.gathering import gather, gather_texts
from trainers.material.texts import Texts
from trainers.plan import plan_training
from trainers.recipe import Recipe, parse_recipe

_PICTURES = 24
_SIDES = 1024, 2400
"""Least and greatest, pixels."""
_KINDS: tuple[tuple[str, Mapping[str, Any]], ...] = (
    ("jpg", {"quality": 92}), ("png", {}), ("webp", {"quality": 88, "method": 1}), ("jpg", {"quality": 92}),
)  # fmt: skip
_SIDE = 512
"""That is learned at, pixels."""
_BATCH = 4
_RUNS = 3


def measure() -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder, Catalog.create(Workspace(Path(folder) / "home")) as catalog:
        catalog.add(starter.CHECKPOINT, name="starter")
        images = _written(Path(folder) / "pictures")
        yield from _beginning(catalog, _recipe(images))
        yield from _checking(catalog.workspace, _recipe(images))


def _beginning(catalog: Catalog, recipe: Recipe) -> Iterator[Figure]:
    begin = _Begin(catalog, recipe)
    first, second, script = _seconds(begin.first, begin.again, begin.as_the_script)
    told = f"{_PICTURES} pictures of {_SIDES[0]} to {_SIDES[1]} px"
    yield Figure(f"{told}, examined and encoded", first / _PICTURES * 1000, "ms each")
    yield Figure("one pass of the script / that", script / first, "x", at_least=0.9)
    yield Figure("one pass of the script / the second time", script / second, "x", at_least=10)


def _checking(workspace: Workspace, recipe: Recipe) -> Iterator[Figure]:
    def check(glances: Glances) -> None:
        drain(examine(recipe.dataset, orders_of(recipe, _SIDE), glances=glances))

    first, second = _seconds(lambda: check(Glances()), lambda: check(Glances.of(workspace)))
    yield Figure("a dataset checked / the second time", first / second, "x", at_least=10)


def _seconds(*actions: Any) -> list[float]:
    return seconds_in_turn(_RUNS, *actions, clock=time.process_time)


class _Begin:
    """Up to the first step, with the models at hand."""

    def __init__(self, catalog: Catalog, recipe: Recipe) -> None:
        self._catalog, self._recipe = catalog, recipe
        plan = plan_training(recipe, catalog)
        self._samples = plan.samples
        self._models = {role: Engine("cpu").load(plan.base.parts[role]) for role in (VAE, TEXT_ENCODER)}

    def first(self) -> None:
        shutil.rmtree(self._catalog.workspace.cache, ignore_errors=True)
        self.again()

    def again(self) -> None:
        cache, glances = self._catalog.workspace.cache, Glances.of(self._catalog.workspace)
        for _ in before_training(self._recipe, self._catalog, glances):
            pass
        plan = plan_training(self._recipe, self._catalog, glances)
        for _ in gather(plan, self._models[VAE], cache):
            pass
        texts = Texts(plan.base, self._models, {}, clip_skip=1, learns=False, folder=cache / "texts")
        for _ in gather_texts(plan, texts):
            pass

    @torch.no_grad()
    def as_the_script(self) -> None:
        """Every epoch anew: decoded whole, cut square, shown to the VAE; the captions to the text encoder."""
        vae: Any = self._models[VAE]
        text_encoder: Any = self._models[TEXT_ENCODER]
        for start in range(0, _PICTURES, _BATCH):
            taken = self._samples[start : start + _BATCH]
            vae.encode(torch.stack([_square(one.path) for one in taken])).latent_dist.sample()
            chunks = [Reading("None").read([one.caption]).chunks[0][0] for one in taken]
            text_encoder(torch.tensor([one.tokens for one in chunks]))


def _square(path: Path) -> Tensor:
    """[3, H, W], -1 to 1: scaled to the shorter side and cut in the middle."""
    with Image.open(path) as opened:
        image = ImageOps.exif_transpose(opened).convert("RGB")
    share = _SIDE / min(image.size)
    image = image.resize((round(image.width * share), round(image.height * share)), Image.Resampling.BILINEAR)
    left, top = (image.width - _SIDE) // 2, (image.height - _SIDE) // 2
    cut = np.asarray(image.crop((left, top, left + _SIDE, top + _SIDE)))
    return torch.from_numpy(cut.copy()).permute(2, 0, 1) / 127.5 - 1


def _written(folder: Path) -> Path:
    """Pictures as cameras make them: smooth, with grain; no two alike."""
    dice = np.random.default_rng(7)
    folder.mkdir()
    grain = dice.normal(0, 6, (_SIDES[1], _SIDES[1], 1))
    for index in range(_PICTURES):
        width, height = (int(side) for side in dice.integers(*_SIDES, size=2))
        patches = Image.fromarray(dice.integers(0, 256, (5, 5, 3), dtype=np.uint8))
        smooth = np.asarray(patches.resize((width, height), Image.Resampling.BICUBIC))
        kind, options = _KINDS[index % len(_KINDS)]
        picture = Image.fromarray(np.clip(smooth + grain[:height, :width], 0, 255).astype(np.uint8))
        picture.save(folder / f"{index}.{kind}", **options)
        (folder / f"{index}.txt").write_text(f"kip, picture {index}", encoding="utf-8")
    return folder


def _recipe(images: Path) -> Recipe:
    entries = {
        "base": "starter", "name": "kip", "steps": 1, "text_encoder_learning_rate": 0,
        "dataset": {"images": images, "resolution": _SIDE, "captions": {"shuffle": False}},
    }  # fmt: skip
    return parse_recipe(entries, "the benchmark")
