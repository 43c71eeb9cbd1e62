"""Prompts are encoded once, and again whenever anything that decides their encoding changes."""

from collections.abc import Iterator
from typing import Any

import pytest

from inference.engine import Engine
from inference.plan import resolve
from inference.request import GenerationRequest, LoraUse
from inference.stage import Stage, set_stage
from modelhub.catalog import Catalog
from modelhub.workspace import Workspace
from tests import tiny

FC1 = "lora_te_text_model_encoder_layers_0_mlp_fc1"


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalog]:
    folder = tmp_path_factory.mktemp("shelf")
    with Catalog.create(Workspace(folder)) as catalog:
        catalog.add(tiny.write_checkpoint(folder / "tiny.safetensors"))
        catalog.add(tiny.write_checkpoint(folder / "other.safetensors", seed=3))
        catalog.add(tiny.write_lora(folder / "kip.safetensors", {FC1: (32, 16)}))
        yield catalog


def staged(shelf: Catalog, engine: Engine, *, calls: int = 4, **said: Any) -> Stage:
    fields = {"prompt": "a [cat|dog]", "model": "tiny", "seed": 1, "width": 64, "height": 64, **said}
    plan = resolve(GenerationRequest.model_validate(fields), shelf)
    return set_stage(plan.base, engine, plan.request, calls=calls, size=(64, 64))


def test_the_same_words_are_encoded_once(shelf: Catalog) -> None:
    engine = Engine("cpu")

    first = staged(shelf, engine)
    again = staged(shelf, engine, seed=2, steps=7, cfg=3.0, sampler="Euler")

    assert again.guides is first.guides
    assert again.negative is first.negative


@pytest.mark.parametrize(
    "said",
    [
        {"prompt": "a [cat|fox]"},
        {"negative_prompt": "blurry"},
        {"clip_skip": 2},
        {"emphasis": "Ignore"},
        {"comma_backtrack": 0},
        {"pad": "empty"},
        {"model": "other"},
        {"loras": (LoraUse(ref="kip"),)},
        {"calls": 8},
    ],
)
def test_whatever_decides_the_encoding_makes_it_anew(shelf: Catalog, said: dict[str, Any]) -> None:
    engine = Engine("cpu")
    first = staged(shelf, engine)

    assert staged(shelf, engine, **said).guides is not first.guides
    assert staged(shelf, engine).guides is first.guides


def test_another_strength_of_a_lora_on_the_text_encoder_counts(shelf: Catalog) -> None:
    engine = Engine("cpu")
    full, less, unet_only = (
        staged(shelf, engine, loras=(LoraUse(ref="kip", text_encoder=te, unet=unet),))
        for te, unet in ((1.0, 1.0), (0.5, 1.0), (1.0, 0.5))
    )

    assert less.guides is not full.guides
    assert unet_only.guides is full.guides


def test_releasing_lets_go_of_them(shelf: Catalog) -> None:
    engine = Engine("cpu")
    first = staged(shelf, engine)
    engine.release()

    assert engine.texts.size == 0
    assert staged(shelf, engine).guides is not first.guides
