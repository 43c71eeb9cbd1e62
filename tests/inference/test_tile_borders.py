"""How much of the tiles is to be seen in a picture that was drawn in tiles: as much as `MODELHUB_PICTURES` say."""

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from inference.engine import Engine
from inference.generate import Picture, render
from inference.plan import LoadPlan, resolve
from inference.request import GenerationRequest, Init, Tiles
from inference.tiles import joined, places, upscaled
from modelhub import starter
from modelhub.catalog import Catalog
from modelhub.jobs import Progress
from modelhub.workspace import Workspace

PICTURES = int(os.environ.get("MODELHUB_PICTURES", "3"))
TILE, OVERLAP, SIDE = 128, 32, 224
PLACES = places((SIDE, SIDE), (TILE, TILE), OVERLAP)
BORDERS = [x for x, _ in PLACES[0][1:]]


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalog]:
    with Catalog.create(Workspace(tmp_path_factory.mktemp("borders"))) as catalog:
        catalog.add(Path(str(starter.__file__)).with_name("starter.safetensors"), name="starter")
        yield catalog


def prominence(image: Image.Image) -> float:
    """How steep the picture is where tiles begin and where they are whole, over the columns and rows beside those."""
    pixels = np.asarray(image, dtype=np.float64).mean(axis=2)
    return float(np.mean([_steepness(pixels), _steepness(pixels.T)]))


def _steepness(pixels: NDArray[np.float64]) -> float:
    steps = np.abs(np.diff(pixels, axis=1)).mean(axis=0)
    at = [x - 1 for begin in BORDERS for x in (begin, begin + OVERLAP)]
    beside = [x + by for x in at for by in (-6, -5, -4, 4, 5, 6)]
    return float(steps[at].mean() / steps[beside].mean())


def drawn(plan: LoadPlan, engine: Engine) -> Iterator[tuple[Image.Image, list[Image.Image]]]:
    """Each picture, and the tiles that it is made of."""
    tiles: list[Image.Image] = []

    def noting(part: LoadPlan, engine: Engine) -> Iterator[Progress | Picture]:
        for event in render(part, engine):
            if isinstance(event, Picture):
                tiles.append(event.image)
            yield event

    for event in upscaled(plan, plan.request.tiles or Tiles(), engine, noting):
        if isinstance(event, Picture):
            yield event.image, list(tiles)
            tiles.clear()


def relative(images: Sequence[Image.Image], untiled: Sequence[Image.Image]) -> float:
    ratios = [prominence(one) / prominence(plain) for one, plain in zip(images, untiled, strict=True)]
    return float(np.mean(ratios))


def test_the_borders_of_tiles_are_hardly_to_be_seen(
    shelf: Catalog, tmp_path: Path, record_testsuite_property: Callable[[str, object], None]
) -> None:
    engine = Engine("cpu")
    plain = GenerationRequest(prompt="a red fish", model="starter", steps=4, seed=100, count=PICTURES)
    first = tmp_path / "first.png"
    wholes: list[Image.Image] = []
    cuts: list[Image.Image] = []
    untiled: list[Image.Image] = []
    for one in render(resolve(plain, shelf), engine):
        if not isinstance(one, Picture):
            continue
        one.image.resize((SIDE, SIDE), Image.Resampling.LANCZOS).save(first)
        over = Init(image=str(first), denoise=0.3)
        request = plain.model_copy(update={"count": 1, "steps": 8, "cfg": 1.0, "seed": one.seed, "init": over})
        tiled = request.model_copy(
            update={"width": TILE, "height": TILE, "tiles": Tiles(scale=1.0, overlap=OVERLAP, upscaler="Lanczos")}
        )
        ((whole, tiles),) = drawn(resolve(tiled, shelf), engine)
        wholes.append(whole)
        cuts.append(joined(tiles, PLACES, whole.size, 0))
        untiled += [event.image for event in render(resolve(request, shelf), engine) if isinstance(event, Picture)]

    eased, cut = relative(wholes, untiled), relative(cuts, untiled)
    record_testsuite_property("tile borders", f"{eased:.3f} of the untiled picture's, {cut:.3f} where cut hard")
    assert eased <= 1.10
    assert eased < 0.6 * cut
