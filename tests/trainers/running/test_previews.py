"""A preview is what a later picture with that copy and seed is, whatever was trained."""

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from inference.engine import Engine
from inference.generate import generate
from inference.request import GenerationRequest
from modelhub.catalog import Catalog
from modelhub.jobs import Preview, drain
from tests.trainers.pictures import write_set
from trainers.recipe import parse_recipe
from trainers.train import train

METHODS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "textual_inversion": (
        {"options": {"token": "mira", "vectors": 2, "learning_rate": 0.5, "keep_norm": False}},
        {"prompt": "a mira ramp", "model": "tiny"},
    ),
    "hypernetwork": ({"learning_rate": 0.1}, {"prompt": "a mira ramp<hypernet:kip-at-1:1>", "model": "tiny"}),
    "full": ({"learning_rate": 1e-2}, {"prompt": "a mira ramp", "model": "kip-at-1"}),
}
"""Method -> what its recipe says, and how a picture is asked for."""


@pytest.mark.parametrize("method", METHODS)
def test_a_preview_is_drawn_again_with_the_copy(
    catalog: Catalog, checkpoint: Path, tmp_path: Path, method: str
) -> None:
    catalog.add(checkpoint, name="tiny")
    entries, asked = METHODS[method]
    preview = {"every": 1, "prompts": ["a mira ramp"], "sampling_steps": 2, "seed": 5}
    usual = {"base": "tiny", "name": "kip", "steps": 2, "preview": preview, "method": method}
    dataset = {"images": write_set(tmp_path / "pictures"), "captions": {"prefix": "mira "}}

    events = list(train(parse_recipe({**usual, **entries, "dataset": dataset}, ""), catalog=catalog, device="cpu"))

    (drawn,) = (event for event in events if isinstance(event, Preview))
    catalog.add(catalog.workspace.runs / "0001-kip" / "kip-step00000001.safetensors", name="kip-at-1")
    if method == "textual_inversion":  # the finished word goes by the same token
        catalog.remove(catalog.resolve("kip").id)
    request = GenerationRequest(**asked, steps=2, seed=5)
    (later,) = drain(generate(request, catalog=catalog, engine=Engine("cpu"), out=tmp_path))
    with Image.open(drawn.path) as image:
        assert image.tobytes() == later.image.tobytes()
    bare = request.model_copy(update={"prompt": "a ramp", "model": "tiny"})
    (other,) = drain(generate(bare, catalog=catalog, engine=Engine("cpu"), out=tmp_path))
    assert other.image.tobytes() != later.image.tobytes()
