"""A file's name is believed last, and contradicts only with unmistakable words."""

import pytest

from modelhub.families import known
from modelhub.identify import identify
from modelhub.identify._names import families_named, says, words
from tests import natives, tables


@pytest.mark.parametrize(
    ("name", "spoken"),
    [
        ("sd_v1-5", "sd v1 5"),
        ("FLUX.2-klein", "flux2 klein"),
        ("animagineXL31", "animagine xl31"),
        ("SD3.5 Large", "sd3 5 large"),
        ("", ""),
    ],
)
def test_a_name_is_parted_into_words(name: str, spoken: str) -> None:
    assert words(name) == spoken


@pytest.mark.parametrize(
    ("name", "families"),
    [
        ("my_sdxl_lora", {"sdxl"}),
        ("animagineXL31", {"sdxl"}),
        ("sd_xl_refiner_1.0", {"sdxl-refiner"}),
        ("sd_xl_base_1.0", {"sdxl"}),
        ("flux2-klein-4b", {"flux2"}),
        ("FLUX.2-dev", {"flux2"}),
        ("flux1-dev", {"flux1"}),
        ("mystyle_flux", {"flux1"}),
        ("sd3.5_large", {"sd3"}),
        ("kip_sd15", {"sd1"}),
        ("z_image_turbo", {"z-image"}),
        ("qwen-image-edit", {"qwen-image"}),
        ("qwen-image-2.1", {"qwen-image-2.1"}),
        ("my_flux_style_sdxl_lora", {"flux1", "sdxl"}),
        ("axle", set()),
        ("exlibris", set()),
        ("influx", set()),
        ("fluxus", set()),
        ("pixel", set()),
        ("chromatic", set()),
        ("little pony", set()),
        ("illustrious lady", set()),
        ("refiner", set()),
        ("swan", set()),
        ("", set()),
    ],
)
def test_only_words_of_their_own_name_a_family(name: str, families: set[str]) -> None:
    assert families_named(name) == families


def test_every_familys_marks_name_that_family_alone() -> None:
    named = {(one.name, mark): families_named(mark) for one in known().values() for mark in one.name_marks}
    assert {key: found for key, found in named.items() if found != {key[0]}} == {}


@pytest.mark.parametrize(("name", "mark"), [("flux-2-klein-base-4b", "base"), ("database", None), ("base", "base")])
def test_a_mark_is_a_word_of_its_own(name: str, mark: str | None) -> None:
    assert says(name, ["base"]) == mark


def test_a_name_that_says_another_family_is_told() -> None:
    facts = identify(tables.table(tables.ldm_checkpoint()), name="my_sdxl_model")
    assert facts.family == "sd1"
    assert facts.conflicts == ("the name says Stable Diffusion XL, by its tensors it is Stable Diffusion 1.x",)


@pytest.mark.parametrize("name", ["my_sd15_model", "flux_style_sdxl", "axle", "model", "pony"])
def test_a_name_that_says_nothing_certain_contradicts_nothing(name: str) -> None:
    assert identify(tables.table(tables.ldm_checkpoint()), name=name).conflicts == ()


def test_an_ordinary_word_that_fits_takes_certainty_from_the_rest_of_the_name() -> None:
    klein = tables.table(natives.authors_transformer("flux2 klein-4b"))
    assert identify(klein, name="flux-klein-4b").conflicts == ()
    assert identify(klein, name="flux-4b").conflicts != ()
