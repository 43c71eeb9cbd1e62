"""Every preset is a recipe but for a base and pictures, and says what it is for."""

import pytest

from modelhub.errors import BadValue
from modelhub.families import family
from trainers.presets import Preset, preset_for, presets, read_preset
from trainers.recipe import LoraOptions, Recipe, parse_recipe


def recipe(preset: Preset) -> Recipe:
    dataset = {**preset.entries.get("dataset", {}), "images": "pictures"}
    return parse_recipe({**preset.entries, "base": "3", "name": "kip", "dataset": dataset}, preset.name)


@pytest.mark.parametrize("preset", presets(), ids=lambda one: one.name)
def test_a_preset_is_a_recipe_for_a_family_that_there_is(preset: Preset) -> None:
    assert recipe(preset).method == preset.method
    assert family(preset.family).name == preset.family
    assert preset.about
    assert preset.name.startswith(f"{preset.subject}-") or preset.method != "lora"


@pytest.mark.parametrize("preset", presets(), ids=lambda one: one.name)
def test_a_lora_learns_between_the_slowest_and_the_fastest_published_recipe(preset: Preset) -> None:
    """By learning rate times alpha over rank, which is what peers differ in by 13 times."""
    found = recipe(preset)
    if isinstance(found.options, LoraOptions):
        assert 1.9e-5 <= found.learning_rate * found.options.scale_alpha / found.options.rank <= 2.6e-4


@pytest.mark.parametrize(
    ("method", "base", "name"),
    [
        ("lora", "sd1", "character-sd15"),
        ("lora", "sdxl", "character-sdxl"),
        ("textual_inversion", "sdxl", "word-sdxl"),
        ("full", "sd1", "dreambooth-sd15"),
    ],
)
def test_without_a_name_the_character_of_the_family_is_taken(method: str, base: str, name: str) -> None:
    found = preset_for(method, base)

    assert found is not None
    assert found.name == name


def test_a_family_without_presets_has_none() -> None:
    assert preset_for("lora", "flux1") is None
    assert preset_for("lora", None) is None


def test_an_unknown_preset_is_answered_with_those_there_are() -> None:
    with pytest.raises(BadValue, match=r"no preset 'portrait': there are character-sd15, ") as caught:
        read_preset("portrait")

    assert caught.value.mend == "modelhub train presets"
