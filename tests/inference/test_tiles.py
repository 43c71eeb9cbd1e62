"""Pictures that are enlarged and drawn over tile by tile."""

from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image

from inference.engine import Engine
from inference.generate import Picture, render
from inference.plan import LoadPlan, resolve
from inference.request import GenerationRequest, Init, Tiles
from inference.tiles import joined, places, upscaled
from modelhub.catalog import Catalog
from modelhub.errors import BadValue
from modelhub.jobs import Progress
from modelhub.workspace import Workspace
from tests import tiny


def photo(width: int, height: int, seed: int = 0) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8))


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalog]:
    folder = tmp_path_factory.mktemp("tiles")
    with Catalog.create(Workspace(folder)) as catalog:
        catalog.add(tiny.write_checkpoint(folder / "tiny.safetensors"))
        photo(72, 64).save(folder / "photo.png")
        yield catalog


def planned(shelf: Catalog, **fields: object) -> LoadPlan:
    defaults = {
        "prompt": "a cat", "model": "tiny", "steps": 2, "seed": 5, "sampler": "Euler", "width": 64, "height": 64,
        "init": Init(image=str(shelf.workspace.root / "photo.png"), denoise=0.5), "tiles": Tiles(overlap=16),
    }  # fmt: skip
    return resolve(GenerationRequest.model_validate({**defaults, **fields}), shelf)


def as_it_was(plan: LoadPlan, engine: Engine) -> Iterator[Progress | Picture]:
    """A rendering that changes nothing."""
    assert plan.request.init is not None
    yield Picture(plan.inputs.open(plan.request.init.image), plan.request.seed, "", plan.request)


@pytest.mark.parametrize(
    ("size", "overlap", "columns", "rows"),
    [
        ((1024, 1024), 64, [0, 256, 512], [0, 256, 512]),
        ((1000, 512), 64, [0, 244, 488], [0]),
        ((512, 512), 64, [0], [0]),
        ((300, 960), 64, [0], [0, 448]),
        ((1024, 512), 0, [0, 512], [0]),
    ],
)
def test_tiles_lie_at_even_distances_up_to_the_far_edges(
    size: tuple[int, int], overlap: int, columns: list[int], rows: list[int]
) -> None:
    assert places(size, (512, 512), overlap) == [[(x, y) for x in columns] for y in rows]


@pytest.mark.parametrize("overlap", [0, 4, 16, 31])
def test_a_picture_that_is_cut_and_joined_is_as_it_was(overlap: int) -> None:
    whole = photo(100, 75)
    rows = places(whole.size, (32, 40), overlap)
    tiles = [whole.crop((x, y, x + 32, y + 40)) for row in rows for x, y in row]

    assert (np.asarray(joined(tiles, rows, whole.size, overlap)) == np.asarray(whole)).all()


def test_a_tile_comes_in_evenly_over_the_one_before_it() -> None:
    black, white = Image.new("RGB", (8, 4)), Image.new("RGB", (8, 4), "white")

    across = np.asarray(joined([black, white], [[(0, 0), (4, 0)]], (12, 4), 4))[0, :, 0]
    down = np.asarray(joined([black, white], [[(0, 0)], [(0, 2)]], (8, 6), 2))[:, 0, 0]

    assert across.tolist() == [0, 0, 0, 0, 0, 63, 127, 191, 255, 255, 255, 255]
    assert down.tolist() == [0, 0, 0, 127, 255, 255]


def test_each_tile_is_drawn_over_its_own_part_with_the_next_seed(shelf: Catalog) -> None:
    plan, seen = planned(shelf), list[GenerationRequest]()

    def noting(part: LoadPlan, engine: Engine) -> Iterator[Progress | Picture]:
        seen.append(part.request)
        return as_it_was(part, engine)

    *_, picture = upscaled(plan, plan.request.tiles or Tiles(), Engine("cpu"), noting)

    assert isinstance(picture, Picture)
    assert picture.image.size == (144, 128)
    enlarged = plan.inputs.open(plan.request.init.image).resize((144, 128), Image.Resampling.LANCZOS)  # type: ignore[union-attr]
    assert (np.asarray(picture.image) == np.asarray(enlarged)).all()
    assert [one.seed for one in seen] == list(range(5, 5 + len(seen)))
    assert len(seen) == 9
    assert {(one.width, one.height, one.tiles) for one in seen} == {(64, 64, None)}
    assert (picture.seed, picture.request) == (5, plan.request)


def test_a_tile_is_no_larger_than_the_picture(shelf: Catalog) -> None:
    plan = planned(shelf, width=512, height=64)

    *_, picture = upscaled(plan, Tiles(scale=1.0, overlap=16), Engine("cpu"), as_it_was)

    assert isinstance(picture, Picture)
    assert picture.image.size == (72, 64)


def test_what_was_drawn_in_tiles_is_drawn_again_from_its_own_request(shelf: Catalog) -> None:
    engine = Engine("cpu")
    first, second = (one for one in render(planned(shelf, count=2), engine) if isinstance(one, Picture))

    (again,) = (one for one in render(resolve(second.request, shelf), engine) if isinstance(one, Picture))

    assert (np.asarray(again.image) == np.asarray(second.image)).all()
    assert (np.asarray(first.image) != np.asarray(second.image)).any()
    assert "SD upscale overlap: 16, SD upscale upscaler: Lanczos" in again.infotext


def test_without_a_size_a_tile_is_as_large_as_the_model_was_trained_at(shelf: Catalog) -> None:
    assert planned(shelf, width=None, height=None).size == (64, 64)


def test_tiles_without_a_picture_or_with_nothing_of_their_own_are_refused(shelf: Catalog) -> None:
    with pytest.raises(BadValue, match="drawn over the whole of a picture") as alone:
        planned(shelf, init=None)
    with pytest.raises(BadValue, match="64x64 px cannot overlap by 64"):
        planned(shelf, tiles=Tiles(overlap=64))
    assert alone.value.mend == "modelhub generate ... --init FILE --sd-upscale 2"
