"""What Civitai's authors tick, in all the forms that it came in, under what the base model's licence forbids."""

import pytest

from modelhub.licences import QUESTIONS, Answer, from_civitai

YES, NO, UNKNOWN = Answer.YES, Answer.NO, Answer.UNKNOWN


@pytest.mark.parametrize(
    ("said", "answers"),
    [
        (["Image", "RentCivit", "Rent", "Sell"], (YES, YES, YES)),
        (["Image", "RentCivit"], (YES, NO, NO)),
        (["RentCivit"], (NO, NO, NO)),
        ([], (NO, NO, NO)),
        ("{Image,RentCivit,Rent}", (YES, YES, NO)),
        ("{}", (NO, NO, NO)),
        ("Sell", (YES, YES, YES)),
        ("Rent", (YES, YES, NO)),
        ("Image", (YES, NO, NO)),
        ("None", (NO, NO, NO)),
        ("Whatever", (UNKNOWN, UNKNOWN, UNKNOWN)),
        (None, (UNKNOWN, UNKNOWN, UNKNOWN)),
        (7, (UNKNOWN, UNKNOWN, UNKNOWN)),
    ],
)
def test_commercial_use_in_each_of_its_forms(said: object, answers: tuple[Answer, ...]) -> None:
    licence = from_civitai(allow_commercial_use=said)
    assert (licence.sell_images, licence.use_commercially, licence.sell_model) == answers


def test_ticks_answer_the_other_questions() -> None:
    licence = from_civitai(allow_no_credit=False, allow_derivatives=True, allow_different_licence=False)
    assert (licence.must_credit, licence.merge, licence.relicense) == (YES, YES, NO)


@pytest.mark.parametrize("said", [None, "yes", 1])
def test_what_is_no_tick_is_unknown(said: object) -> None:
    licence = from_civitai(allow_no_credit=said, allow_derivatives=said, allow_different_licence=said)
    assert {licence.answer(one) for one in QUESTIONS} == {UNKNOWN}
    assert "its author lets others do nothing that was said" in licence.because


def test_the_reason_says_what_the_author_lets_others_do() -> None:
    licence = from_civitai(allow_no_credit=True, allow_commercial_use=["Image"], allow_derivatives=True)
    assert licence.because[0] == "its author lets others sell pictures, derive models, leave out the credit"


def test_nobody_allows_more_than_the_base_does() -> None:
    ticked = {"allow_commercial_use": ["Image", "Rent", "Sell"], "allow_derivatives": True}
    assert from_civitai(**ticked, base="SDXL 1.0").sell_images is YES
    noob = from_civitai(**ticked, base="NoobAI")
    assert (noob.sell_images, noob.use_commercially, noob.sell_model) == (NO, NO, NO)
    assert from_civitai(**ticked, base="Flux.1 D").sell_images is UNKNOWN


def test_forbidden_uses_of_the_base_bind_the_model_and_its_licence_names_it() -> None:
    licence = from_civitai(allow_no_credit=True, base="SD 1.5")
    assert licence.restricts_use is YES
    assert licence.must_credit is NO
    assert licence.name == "creativeml-openrail-m, own terms"


def test_an_author_who_allows_all_that_the_base_does_has_its_licence() -> None:
    ticks: dict[str, object] = {"allow_commercial_use": "Sell", "allow_no_credit": True, "allow_derivatives": True}
    assert from_civitai(**ticks, allow_different_licence=True, base="SD 1.5").name == "creativeml-openrail-m"


def test_a_base_that_is_not_known_is_told() -> None:
    licence = from_civitai(allow_commercial_use=["Image"], base="Model Of 2031")
    assert licence.sell_images is YES
    assert any("'Model Of 2031' is not known here" in reason for reason in licence.because)
