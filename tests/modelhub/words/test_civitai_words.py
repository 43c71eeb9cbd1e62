"""What Civitai says of a version is believed field by field."""

import pytest

from modelhub.words.civitai import base_family, number_of, read_version, rows_in


@pytest.mark.parametrize(
    ("base", "family"),
    [
        ("SD 1.5", "sd1"),
        ("SDXL 1.0", "sdxl"),
        ("Illustrious", "sdxl"),
        ("Pony V7", "auraflow"),
        ("Flux.1 D", "flux1"),
        ("flux", "flux1"),
        ("Other", None),
        ("", None),
    ],
)
def test_a_hubs_word_for_a_base_means_a_family(base: str, family: str | None) -> None:
    assert base_family(base) == family


@pytest.mark.parametrize("value", [0, -1, 2**31, True, 1.0, "1", None])
def test_what_is_no_number_of_the_hubs_is_none(value: object) -> None:
    assert number_of(value) is None


def test_a_list_gives_its_maps_and_no_more_than_asked_for() -> None:
    assert rows_in([{"a": 1}, None, 5, {"b": 2}, {"c": 3}], 4) == ({"a": 1}, {"b": 2})
    assert rows_in({"a": 1}) == ()


def test_a_version_tells_its_models_number_either_way() -> None:
    assert read_version({"modelId": 12}).model == read_version({"model": {"id": 12}}).model == 12


def test_a_field_of_another_type_is_not_told() -> None:
    told = read_version({"id": "34", "name": ["v1"], "trainedWords": {"a": 1}, "model": {"nsfw": "yes", "tags": 5}})
    assert (told.id, told.name, told.words, told.tags, told.flags) == (None, "", (), (), {})
