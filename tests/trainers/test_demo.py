"""The demo tells its whole story, on tiny weights here."""

from pathlib import Path

import pytest
from PIL import Image

from modelhub import starter
from modelhub.catalog import Catalog
from modelhub.jobs import drain
from modelhub.kinds import Kind
from tests import tiny
from trainers.demo import demo


@pytest.fixture
def _tiny_story(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The shipped character, on a model of milliseconds and for two steps."""
    images = starter.RECIPE.parent / "character" / "train"
    recipe = tmp_path / "mimo.toml"
    recipe.write_text(f'base = "starter"\nname = "mimo"\nsteps = 2\n[dataset]\nimages = "{images}"\n', encoding="utf-8")
    monkeypatch.setattr(starter, "CHECKPOINT", tiny.write_checkpoint(tmp_path / "starter.safetensors"))
    monkeypatch.setattr(starter, "RECIPE", recipe)
    monkeypatch.setattr(starter, "PROMPTS", ("red apple, noto style",))


@pytest.mark.usefixtures("_tiny_story")
def test_the_demo_catalogues_trains_draws_and_measures(catalog: Catalog) -> None:
    first = drain(demo(catalog=catalog, device="cpu"))
    second = drain(demo(catalog=catalog, device="cpu"))

    assert (first.base.name, first.lora.name, second.lora.name) == ("starter", "mimo", "mimo-2")
    assert first.base.id == second.base.id
    assert first.lora.facts.kind is Kind.LORA
    assert first.distances["LoRA at 0"] == first.distances["without the LoRA"]
    made_by = catalog.lineage(first.lora.id).made_by
    assert made_by is not None
    assert made_by.inputs == (("base", first.base.id),)
    with Image.open(first.sheet) as sheet:
        assert sheet.width > 8 * 128
