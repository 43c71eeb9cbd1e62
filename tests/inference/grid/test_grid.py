import pytest

from inference.grid.axes import AXES, axis
from inference.grid.grid import read_grid
from inference.request import GenerationRequest, Hires, Init, Refiner
from modelhub.errors import BadValue

REQUEST = GenerationRequest(
    prompt="a red cat, a dog", model="m", seed=5, init=Init(image="x.png"), hires=Hires(), batch=2, count=3
)


def values(spec: str, field: str) -> list[object]:
    return [getattr(cell.request, field) for cell in read_grid([spec]).cells(REQUEST)]


def test_each_cell_is_one_picture_with_its_values() -> None:
    grid = read_grid(["Steps=10,20", "cfg scale=5-7"])

    cells = grid.cells(REQUEST)

    assert grid.shape == (2, 3, 1)
    assert {cell.place: (cell.request.steps, cell.request.cfg) for cell in cells} == {
        (x, y): (steps, cfg) for x, steps in enumerate((10, 20)) for y, cfg in enumerate((5.0, 6.0, 7.0))
    }
    assert {(cell.request.batch, cell.request.count, cell.request.seed) for cell in cells} == {(1, 1, 5)}


def test_what_loads_models_changes_least_often_and_x_most_often() -> None:
    cells = read_grid(["Checkpoint name=a,b", "Steps=1,2"]).cells(REQUEST)
    assert [cell.request.model for cell in cells] == ["a", "a", "b", "b"]

    cells = read_grid(["Steps=1,2", "CFG Scale=1,2"]).cells(REQUEST)
    assert [cell.place for cell in cells] == [(0, 0), (1, 0), (0, 1), (1, 1)]


def test_an_open_seed_is_decided_once() -> None:
    cells = read_grid(["Steps=1,2"]).cells(REQUEST.model_copy(update={"seed": -1}))
    assert len({cell.request.seed for cell in cells}) == 1
    assert cells[0].request.seed >= 0


def test_prompt_search_and_replace_takes_the_first_value_for_what_is_there() -> None:
    assert values("Prompt S/R=red, blue", "prompt") == ["a red cat, a dog", "a blue cat, a dog"]
    with pytest.raises(BadValue, match="neither prompt holds 'green'"):
        values("Prompt S/R=green, blue", "prompt")


def test_prompt_order_lets_words_change_places() -> None:
    assert values("Prompt order=cat, dog", "prompt") == ["a red cat, a dog", "a red dog, a cat"]


def test_parts_of_a_request_vary_where_they_were_asked_for() -> None:
    cells = read_grid(["Denoising=0.2,0.4", "Hires steps=3"]).cells(REQUEST)

    assert [(cell.request.init and cell.request.init.denoise) for cell in cells] == [0.2, 0.4]
    assert {cell.request.hires and cell.request.hires.steps for cell in cells} == {3}
    with pytest.raises(BadValue, match="init"):
        read_grid(["Denoising=0.2"]).cells(REQUEST.model_copy(update={"init": None}))


def test_the_parameters_name_the_axes() -> None:
    grid = read_grid(["Steps=10, 20", "Sampler=Euler,Heun"])
    assert grid.texts() == {
        "Script": "X/Y/Z plot",
        "X Type": "Steps",
        "X Values": "10, 20",
        "Y Type": "Sampler",
        "Y Values": "Euler,Heun",
    }
    assert grid.axes[0].labels == ("Steps: 10", "Steps: 20")
    assert grid.axes[1].labels == ("Euler", "Heun")


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (["Stps=1"], r"'Stps' is no axis of a grid \(Steps"),
        (["Steps"], "names no values"),
        (["Steps=0"], "the grid asks for steps 0"),
        (["Size=12"], "'12' is no size"),
        (["Tiling=maybe"], "neither true nor false"),
        (["Steps=1"] * 4, "3 axes at most"),
    ],
)
def test_what_cannot_be_drawn_is_said(spec: list[str], said: str) -> None:
    with pytest.raises(BadValue, match=said):
        read_grid(spec).cells(REQUEST)


OF_THEIR_OWN = {
    "Prompt S/R": "red, blue",
    "Prompt order": "cat, dog",
    "Size": "64x128",
    "Tiling": "true",
    "Always discard next-to-last sigma": "true",
    "RNG source": "CPU",
    "Hires scale": "1.5",
    "Seed": "3",
}


@pytest.mark.parametrize("name", [one.name for one in AXES])
def test_every_axis_changes_a_request(name: str) -> None:
    said = OF_THEIR_OWN.get(name, {"floats": "0.5", "integers": "3"}.get(axis(name).values.__name__, "other"))
    request = REQUEST.model_copy(update={"batch": 1, "count": 1, "refiner": Refiner(model="r")})

    changed = [cell.request for cell in read_grid([f"{name}={said}"]).cells(request)][-1]

    assert changed != request
