"""Hypernetworks that prompts name: found, checked, applied while a picture is drawn, and gone afterwards."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.engine import Engine
from inference.generate import Picture, render
from inference.plan import resolve
from inference.request import GenerationRequest, Hires
from modelhub.catalog import Catalog
from modelhub.digests import file_digests
from modelhub.errors import BadValue, Incompatible, UnknownRef
from modelhub.kinds import Facts, Kind
from modelhub.workspace import Workspace
from tests import tiny
from tests.inference.adapters.hypernetworks import write_converted


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("nets")


@pytest.fixture(scope="module")
def shelf(folder: Path) -> Iterator[Catalog]:
    sd1, sdxl = (Facts(kind=Kind.HYPERNETWORK, family=family) for family in ("sd1", "sdxl"))
    with Catalog.create(Workspace(folder)) as catalog:
        catalog.add(tiny.write_checkpoint(folder / "tiny.safetensors"))
        catalog.add(write_converted(folder / "ink.safetensors", 8, 16, activation_func="relu"), facts=sd1)
        catalog.add(write_converted(folder / "wax.safetensors", 16, seed=1, activation_func="tanh"), facts=sd1)
        catalog.add(write_converted(folder / "far.safetensors", 16, seed=2), facts=sdxl)
        yield catalog


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine("cpu")


def request(prompt: str, **fields: object) -> GenerationRequest:
    defaults = {"prompt": prompt, "model": "tiny", "steps": 3, "seed": 1, "sampler": "Euler a"}
    return GenerationRequest.model_validate({**defaults, **fields})


def pixels(shelf: Catalog, engine: Engine, prompt: str) -> NDArray[np.int16]:
    events = render(resolve(request(prompt), shelf), engine)
    (image,) = [one.image for one in events if isinstance(one, Picture)]
    return np.asarray(image, dtype=np.int16)


def test_it_acts_while_its_picture_is_drawn_and_is_gone_for_the_next(shelf: Catalog, engine: Engine) -> None:
    plain = pixels(shelf, engine, "a cat")

    inked = pixels(shelf, engine, "a cat<hypernet:ink:0.5>")

    assert not np.array_equal(inked, plain)
    assert np.array_equal(pixels(shelf, engine, "a cat"), plain)
    assert np.array_equal(pixels(shelf, engine, "a cat<hypernet:ink:0>"), plain)
    assert np.array_equal(pixels(shelf, engine, "a cat<hypernet:2:0.5>"), inked)


def test_several_act_in_the_prompts_order(shelf: Catalog, engine: Engine) -> None:
    one, other = (pixels(shelf, engine, f"a cat<hypernet:{a}><hypernet:{b}>") for a, b in ("23", "32"))

    assert not np.array_equal(one, other)


def test_names_become_digests_and_the_plan_can_be_made_again(shelf: Catalog, folder: Path) -> None:
    plan = resolve(request("a <hypernet:ink:0.5>", hires=Hires(prompt="b <hypernet:wax:2>")), shelf)

    ink, wax = (file_digests(folder / f"{name}.safetensors")["sha256"] for name in ("ink", "wax"))
    assert plan.hires is not None
    assert plan.request.hires is not None
    assert (plan.request.prompt, plan.request.hires.prompt) == (f"a <hypernet:{ink}:0.5>", f"b <hypernet:{wax}:2>")
    assert [(one.name, one.sha256, one.strength) for one in plan.base.hypernetworks] == [("ink", ink, 0.5)]
    assert [(one.name, one.strength) for one in plan.hires.hypernetworks] == [("wax", 2.0)]
    assert plan.used == (("model", 1), ("hypernetwork", 2), ("hypernetwork", 3))
    assert resolve(plan.request, shelf) == plan


def test_a_picture_tells_it_by_its_name(shelf: Catalog, engine: Engine) -> None:
    (picture,) = [one for one in render(resolve(request("a cat <hypernet:2:0.5>"), shelf), engine)
                  if isinstance(one, Picture)]  # fmt: skip

    assert picture.infotext.startswith("a cat <hypernet:ink:0.5>\n")


@pytest.mark.parametrize(
    ("name", "error", "wrong"),
    [
        ("far", Incompatible, "far is made for sdxl, tiny is sd1"),
        ("tiny", Incompatible, "tiny"),
        ("nobody", UnknownRef, "nobody"),
        ("./ink.safetensors", BadValue, "as the catalog knows them"),
    ],
)
def test_what_cannot_be_used_is_refused(shelf: Catalog, name: str, error: type[Exception], wrong: str) -> None:
    with pytest.raises(error, match=wrong):
        resolve(request(f"a cat <hypernet:{name}>"), shelf)


def test_a_negative_prompt_names_no_networks(shelf: Catalog) -> None:
    assert resolve(request("a cat", negative_prompt="<hypernet:nobody>"), shelf).base.hypernetworks == ()
