"""The shipped starter: is it recognisable, and quick enough on this machine?"""

import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks._figure import Figure
from inference.engine import Engine
from inference.generate import Picture, render
from inference.images.compare import THUMBNAIL, thumbnail
from inference.images.sheet import contact_sheet
from inference.plan import resolve
from inference.request import GenerationRequest
from modelhub import starter
from modelhub.catalog import Catalog
from modelhub.jobs import Step
from modelhub.workspace import Workspace
from trainers.recipe import read_recipe
from trainers.train import train

_HERE = Path(__file__).parent
_COLUMNS = 20
_NEAREST = 5
_TIMED_STEPS = 200
_SHEET = Path("outputs/starter-grid.png")


def measure() -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder, Catalog.create(Workspace(Path(folder))) as catalog:
        catalog.add(starter.CHECKPOINT, name="starter")
        engine = Engine()
        yield from _recognised(catalog, engine)
        yield from _picture_time(catalog, engine)
        yield from _training_time(catalog)


def _recognised(catalog: Catalog, engine: Engine) -> Iterator[Figure]:
    """64 captions against 400 training icons: how often the caption's own icon is among the nearest."""
    gallery, captions, drawn = _gallery()
    pictures = [_draw(catalog, engine, captions[index], seed) for seed, index in enumerate(drawn)]
    ranks = [_rank(picture.image, gallery, index) for picture, index in zip(pictures, drawn, strict=True)]
    _SHEET.parent.mkdir(exist_ok=True)
    contact_sheet(list(_labelled_rows(pictures, [captions[index] for index in drawn]))).save(_SHEET)
    share = 100 / len(ranks)
    near = share * sum(rank < _NEAREST for rank in ranks)
    yield Figure("own icon among the 5 nearest of 400 (chance 1.25)", near, "%", at_least=55)
    yield Figure("own icon the nearest", share * sum(rank == 0 for rank in ranks), "%")


def _labelled_rows(pictures: list[Picture], captions: list[str]) -> Iterator[tuple[str, list[Image.Image]]]:
    """Eight pictures a row, under their captions."""
    for at in range(0, len(pictures), 8):
        label = ", ".join(caption.removesuffix(" style") for caption in captions[at : at + 8])
        yield label, [picture.image for picture in pictures[at : at + 8]]


def _picture_time(catalog: Catalog, engine: Engine) -> Iterator[Figure]:
    begun = time.perf_counter()
    _draw(catalog, engine, "red apple, noto style", 1)
    yield Figure("a 20-step picture", time.perf_counter() - begun, "s", at_most=3)


def _training_time(catalog: Catalog) -> Iterator[Figure]:
    recipe = read_recipe(starter.RECIPE).model_copy(update={"steps": _TIMED_STEPS})
    steps = (event for event in train(recipe, catalog=catalog) if isinstance(event, Step))
    next(steps)
    begun = time.perf_counter()
    for _ in steps:
        pass
    yield Figure(f"{_TIMED_STEPS} LoRA steps", time.perf_counter() - begun, "s", at_most=120)


def _draw(catalog: Catalog, engine: Engine, prompt: str, seed: int) -> Picture:
    request = GenerationRequest(prompt=prompt, model="starter", steps=20, cfg=4.0, seed=seed)
    return next(event for event in render(resolve(request, catalog), engine) if isinstance(event, Picture))


def _rank(picture: Image.Image, gallery: NDArray[np.uint8], own: int) -> int:
    """How many icons of the gallery, [N, 16, 16, 3], are nearer than the caption's own."""
    differences = gallery.astype(np.float32) - thumbnail(picture).astype(np.float32)
    distances = np.square(differences).mean(axis=(1, 2, 3))
    return int((distances < distances[own]).sum())


def _gallery() -> tuple[NDArray[np.uint8], list[str], list[int]]:
    """Thumbnails, their captions, and which of them are drawn."""
    listing = json.loads((_HERE / "gallery.json").read_text(encoding="utf-8"))
    pixels = np.asarray(Image.open(_HERE / "gallery.png").convert("RGB"))
    rows = pixels.shape[0] // THUMBNAIL
    cells = pixels.reshape(rows, THUMBNAIL, _COLUMNS, THUMBNAIL, 3).swapaxes(1, 2)
    return cells.reshape(-1, THUMBNAIL, THUMBNAIL, 3), listing["captions"], listing["drawn"]
