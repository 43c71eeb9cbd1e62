"""Series: what is drawn, kept and recorded of several renderings that are one run."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from inference.engine import Engine
from inference.generate import generate
from inference.grid.grid import read_grid
from inference.grid.matrix import read_matrix
from inference.grid.sheets import grid_series, matrix_series
from inference.images.texts import read_texts
from inference.picture import Picture
from inference.request import GenerationRequest
from inference.series import Series, Turn, endless, listed
from modelhub.catalog import Catalog
from modelhub.errors import UnknownRef
from modelhub.jobs import Done, Job, Notice
from modelhub.workspace import Workspace
from tests import tiny


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalog]:
    folder = tmp_path_factory.mktemp("shelf")
    with Catalog.create(Workspace(folder)) as catalog:
        catalog.add(tiny.write_checkpoint(folder / "tiny.safetensors"))
        catalog.add(tiny.write_checkpoint(folder / "other.safetensors", seed=9))
        yield catalog


def request(**fields: object) -> GenerationRequest:
    said = {"prompt": "a cat", "model": "tiny", "steps": 1, "seed": 5, "width": 64, "height": 64, **fields}
    return GenerationRequest.model_validate(said)


def drain(job: Job[tuple[Picture, ...]]) -> tuple[Picture, ...]:
    last = list(job)[-1]
    assert isinstance(last, Done)
    return last.result


def draw(series: Series, shelf: Catalog, out: Path) -> tuple[Picture, ...]:
    return drain(generate(series, catalog=shelf, engine=Engine("cpu"), out=out))


def test_a_list_is_one_run_with_all_that_it_used(shelf: Catalog, tmp_path: Path) -> None:
    pictures = draw(listed([request(), request(model="other", seed=6)]), shelf, tmp_path)

    run = shelf.last_run("generate")
    assert run
    assert [picture.seed for picture in pictures] == [5, 6]
    assert {image.path for image in run.images} == {picture.path for picture in pictures}
    assert {number for _, number in run.inputs} == {shelf.resolve("tiny").id, shelf.resolve("other").id}
    assert run.state == "done"


def test_a_picture_of_a_list_equals_the_one_drawn_alone(shelf: Catalog, tmp_path: Path) -> None:
    listed_one = draw(listed([request(model="other"), request()]), shelf, tmp_path)[1]
    (alone,) = drain(generate(request(), catalog=shelf, engine=Engine("cpu"), out=tmp_path))

    assert listed_one.image.tobytes() == alone.image.tobytes()


def test_a_series_is_sent_its_pictures_and_returns_what_came_of_them(shelf: Catalog, tmp_path: Path) -> None:
    def mirrored() -> Series:
        (one,) = yield Turn(request(), kept=False)
        image = one.image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        return (Picture(image, one.seed, one.infotext, one.request),)

    (whole,) = draw(mirrored(), shelf, tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == [whole.path.name if whole.path else ""]
    run = shelf.last_run("generate")
    assert run
    assert [image.path for image in run.images] == [whole.path]


def test_what_was_finished_stays_when_a_later_turn_cannot_be_drawn(shelf: Catalog, tmp_path: Path) -> None:
    with pytest.raises(UnknownRef):
        draw(listed([request(), request(model="absent")]), shelf, tmp_path)

    run = shelf.last_run("generate")
    assert run
    assert (run.state, len(run.images), len(list(tmp_path.iterdir()))) == ("failed", 1, 1)


def test_an_endless_one_counts_its_seeds_up_and_tells_each_picture(shelf: Catalog, tmp_path: Path) -> None:
    series = endless(request(batch=2), lambda one: [one])
    events = generate(series, catalog=shelf, engine=Engine("cpu"), out=tmp_path)

    notices = list(itertools.islice((event for event in events if isinstance(event, Notice)), 4))
    events.close()

    assert [notice.message.partition(".")[0][-1] for notice in notices] == ["5", "6", "7", "8"]
    run = shelf.last_run("generate")
    assert run
    assert run.state == "interrupted"


def test_a_grid_keeps_its_cells_and_ends_in_a_sheet_that_says_what_it_is(shelf: Catalog, tmp_path: Path) -> None:
    *cells, sheet = draw(grid_series(read_grid(["Steps=1,2", "CFG Scale=1,7"]), request()), shelf, tmp_path)

    assert [(one.request.steps, one.request.cfg) for one in cells] == [(1, 1.0), (2, 1.0), (1, 7.0), (2, 7.0)]
    assert sheet.path
    text = read_texts(sheet.path)["parameters"]
    assert 'Script: X/Y/Z plot, X Type: Steps, X Values: "1,2", Y Type: CFG Scale, Y Values: "1,7", Version: ' in text
    left, top = sheet.image.width - 128, sheet.image.height - 128
    for index, cell in enumerate(cells):
        x, y = left + 64 * (index % 2), top + 64 * (index // 2)
        assert sheet.image.crop((x, y, x + 64, y + 64)).tobytes() == cell.image.tobytes()


def test_a_matrix_draws_all_sets_with_one_seed(shelf: Catalog, tmp_path: Path) -> None:
    matrix = read_matrix("a cat | snow")
    *cells, sheet = draw(matrix_series(matrix, request(seed=-1)), shelf, tmp_path)

    assert [one.request.prompt for one in cells] == ["a cat", "a cat, snow"]
    assert len({one.seed for one in [*cells, sheet]}) == 1
    assert "Script: Prompt matrix" in sheet.infotext
