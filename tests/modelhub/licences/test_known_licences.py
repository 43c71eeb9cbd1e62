"""The table of licences holds together, and every spelling finds its licence."""

import itertools

import pytest

from modelhub.families import known as known_families
from modelhub.licences import (
    QUESTIONS,
    UNKNOWN,
    Answer,
    from_huggingface,
    known,
    known_names,
    of_base,
    of_family,
    of_repository,
)
from modelhub.licences._known import _spelling, _table

ROWS = _table()["licence"]


@pytest.mark.parametrize("name", known_names())
def test_a_known_licence_says_why_and_where_it_stands(name: str) -> None:
    licence = known(name)
    assert licence.name == name
    assert licence.url
    assert licence.url.startswith("https://")
    assert all(reason.startswith(f"{name}: ") for reason in licence.because)
    assert licence.because


@pytest.mark.parametrize("name", known_names())
def test_no_row_says_yes_and_no_to_one_question(name: str) -> None:
    row = ROWS[name]
    terms = _table()["terms"][row["terms"]] if "terms" in row else {}
    said = [question for one in (terms, row) for answer in ("yes", "no") for question in one.get(answer, [])]
    assert len(said) == len(set(said))
    assert set(said) <= set(QUESTIONS)
    assert set(row) <= {"url", "also", "alike", "bases", "families", "repositories", "terms", "yes", "no", "because"}


@pytest.mark.parametrize("entry", ["also", "alike", "bases", "families", "repositories"])
def test_no_two_licences_share_a_spelling(entry: str) -> None:
    each = [{_spelling(one) for one in [name] * (entry == "also") + ROWS[name].get(entry, [])} for name in ROWS]
    spellings = list(itertools.chain(*each))
    assert len(spellings) == len(set(spellings))


def test_families_in_the_table_are_families() -> None:
    assert {one for row in ROWS.values() for one in row.get("families", [])} <= set(known_families())


def test_words_for_bases_are_those_that_families_know() -> None:
    others = {"CogVideoX", "Mochi"}
    names = {name for one in known_families().values() for name in one.hub_names}
    assert {one for row in ROWS.values() for one in row.get("bases", [])} - names == others


@pytest.mark.parametrize(
    ("spelling", "name"),
    [
        ("CreativeML Open RAIL-M", "creativeml-openrail-m"),
        ("openrail++", "openrail++"),
        ("CreativeML Open RAIL++-M", "openrail++"),
        ("Apache-2.0", "apache-2.0"),
        ("apache 2.0", "apache-2.0"),
        ("  MIT ", "mit"),
        ("FLUX.1 [dev] Non-Commercial License", "flux-1-dev-non-commercial-license"),
        ("flux_1_dev_non_commercial_license", "flux-1-dev-non-commercial-license"),
        ("Stability AI Community License Agreement", "stabilityai-ai-community"),
        ("CC-BY-NC-4.0", "cc-by-nc-4.0"),
    ],
)
def test_spellings_of_hubs_lead_to_one_licence(spelling: str, name: str) -> None:
    assert known(spelling).name == name


def test_a_licence_that_answers_like_another_keeps_its_name() -> None:
    licence = known("CC-BY-NC-3.0", link="https://hub.test/LICENSE")
    assert (licence.name, licence.url) == ("cc-by-nc-3.0", "https://hub.test/LICENSE")
    assert licence.sell_images is Answer.NO
    assert licence.because[0].startswith("cc-by-nc-3.0: like cc-by-nc-4.0: ")


def test_no_spelling_is_also_another_licence() -> None:
    alike = {_spelling(one) for row in ROWS.values() for one in row.get("alike", [])}
    also = {_spelling(one) for name, row in ROWS.items() for one in (name, *row.get("also", []))}
    assert alike & also == set()


def test_what_the_difference_of_two_openrail_licences_rests_on_is_not_lost() -> None:
    assert known("openrail++") != known("openrail")


def test_a_link_of_the_hub_wins_over_the_tables() -> None:
    assert known("mit", link="https://hub.test/LICENSE").url == "https://hub.test/LICENSE"


def test_a_strange_licence_keeps_its_name_and_is_unknown() -> None:
    licence = known("my-own-1.0", link="https://hub.test/LICENSE")
    assert (licence.name, licence.url) == ("my-own-1.0", "https://hub.test/LICENSE")
    assert {licence.answer(one) for one in QUESTIONS} == {Answer.UNKNOWN}
    assert "read https://hub.test/LICENSE" in licence.because[0]


def test_a_whole_text_in_the_place_of_a_name_is_cut() -> None:
    assert len(known("Permission is hereby granted, " * 100).name) <= 100


@pytest.mark.parametrize("name", ["", None, "other", "unknown"])
def test_names_that_say_nothing_are_unknown(name: str | None) -> None:
    assert known(name) == UNKNOWN


@pytest.mark.parametrize(
    ("base", "answer"),
    [("SD 1.5", Answer.YES), ("NoobAI", Answer.NO), ("SDXL Turbo", Answer.NO), ("Flux.1 D", Answer.UNKNOWN)],
)
def test_a_base_of_civitai_answers_whether_pictures_may_be_sold(base: str, answer: Answer) -> None:
    licence = of_base(base)
    assert licence
    assert licence.sell_images is answer


def test_a_base_or_family_with_several_licences_has_none() -> None:
    assert of_base("Other") is None
    assert of_family("flux1") is None
    assert of_family(None) is None


def test_a_repository_is_known_however_its_letters_are() -> None:
    assert of_repository("black-forest-labs/flux.1-dev") == known("flux-1-dev")
    assert of_repository("somebody/else") is None


def test_what_a_card_names_is_bound_by_what_the_model_was_made_from() -> None:
    licence = from_huggingface("mit", bases=["black-forest-labs/FLUX.1-dev"])
    assert (licence.name, licence.url) == ("mit", known("mit").url)
    assert (licence.use_commercially, licence.restricts_use) == (Answer.NO, Answer.YES)
    assert licence.sell_images is Answer.UNKNOWN
    assert any(reason.startswith("black-forest-labs/FLUX.1-dev: flux-1-dev") for reason in licence.because)


def test_terms_that_a_repository_adds_on_its_page_count() -> None:
    named = from_huggingface("fair-ai-public-license-1.0-sd", repository="Laxhar/noobai-XL-1.0")
    assert known("fair-ai-public-license-1.0-sd").sell_images is Answer.YES
    assert named.sell_images is Answer.NO


def test_a_card_of_strangers_is_its_licence_alone() -> None:
    assert from_huggingface("mit", repository="a/b", bases=["c/d"]) == known("mit")
    assert from_huggingface(None) == UNKNOWN


def test_a_card_that_names_its_bases_licence_says_it_once() -> None:
    name, repository = "openrail++", "stabilityai/stable-diffusion-xl-base-1.0"
    assert from_huggingface(name, repository=repository, bases=[repository]) == known(name)
