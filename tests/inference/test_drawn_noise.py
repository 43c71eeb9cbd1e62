"""What a request says of noise, seen in the pixels of tiny models."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.engine import Engine
from inference.generate import Picture, render
from inference.objectives import PREDICTIONS
from inference.passes import first_pass
from inference.plan import resolve
from inference.request import GenerationRequest, Variation
from inference.schedules import SigmaTable
from modelhub.catalog import Catalog
from modelhub.families import family
from modelhub.kinds import Facts, Kind
from modelhub.workspace import Workspace
from tests import tiny

MIXED = Variation(seed=9, strength=0.4)


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine("cpu")


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalog]:
    folder = tmp_path_factory.mktemp("noise")
    with Catalog.create(Workspace(folder)) as catalog:
        for prediction in PREDICTIONS:
            facts = Facts(kind=Kind.CHECKPOINT, family="sd1", prediction_type=prediction, context_width=16)
            path = tiny.write_checkpoint(folder / f"{prediction}.safetensors", name=prediction)
            catalog.add(path, facts=facts, name=prediction)
        yield catalog


def draw(shelf: Catalog, engine: Engine, **fields: Any) -> list[Picture]:
    said = {"prompt": "a cat", "model": "epsilon", "steps": 4, "seed": 1, "sampler": "Euler a", **fields}
    events = render(resolve(GenerationRequest.model_validate(said), shelf), engine)
    return [event for event in events if isinstance(event, Picture)]


def pixels(picture: Picture) -> NDArray[np.int16]:
    return np.asarray(picture.image, dtype=np.int16)


@pytest.mark.parametrize(
    "change",
    [
        {"variation": MIXED}, {"variation": Variation(seed=10, strength=0.4)}, {"seed_resize": (48, 48)}, {"ensd": 3},
        {"min_uncond": 9.0}, {"schedule": "Karras", "rho": 3.0}, {"schedule": "Karras", "sigma_min": 0.5},
        {"schedule": "Karras", "sigma_max": 9.0}, {"schedule": "Karras", "discard_next_to_last": True},
    ],
    ids=str,
)  # fmt: skip
def test_every_word_on_noise_has_a_part_in_the_pixels(shelf: Catalog, engine: Engine, change: dict[str, Any]) -> None:
    base = {"schedule": change["schedule"]} if "schedule" in change else {}

    assert (pixels(*draw(shelf, engine, **base)) != pixels(*draw(shelf, engine, **change))).any()


def test_one_image_of_a_batch_is_drawn_again_alone(shelf: Catalog, engine: Engine) -> None:
    pictures = draw(shelf, engine, variation=MIXED, seed_resize=(48, 80), ensd=7, batch=3)

    assert len({pixels(picture).tobytes() for picture in pictures}) == 3
    for picture in pictures:
        (again,) = draw(shelf, engine, **picture.request.model_dump(exclude={"model"}))
        assert np.abs(pixels(again) - pixels(picture)).max() <= 1
        assert again.infotext == picture.infotext


@pytest.mark.parametrize("prediction", PREDICTIONS)
def test_models_of_every_objective_draw(shelf: Catalog, engine: Engine, prediction: str) -> None:
    (picture,) = draw(shelf, engine, model=prediction, sampler="DPM++ 2M", schedule="Automatic")

    assert picture.image.size == (64, 64)


def test_objectives_differ_over_the_same_weights(shelf: Catalog, engine: Engine) -> None:
    drawn = [pixels(*draw(shelf, engine, model=prediction)).tobytes() for prediction in PREDICTIONS]

    assert len(set(drawn)) == len(PREDICTIONS)


@pytest.mark.parametrize(("sampler", "timestep"), [("Euler", None), ("DDIM", 50.0), ("UniPC", 50.0)])
def test_the_timestep_samplers_take_webuis_ngms_for_a_timestep(sampler: str, timestep: float | None) -> None:
    table = SigmaTable(family("sd1").noise)
    way = first_pass(GenerationRequest(prompt="", model="x", sampler=sampler, min_uncond=50.0))

    assert way.unguided_below(table) == (50.0 if timestep is None else table.sigma(timestep))
