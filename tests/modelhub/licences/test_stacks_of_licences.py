"""In a stack the strictest counts; for one model silence is no answer; requirements name who does not meet them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelhub.errors import BadValue, LicenceForbids
from modelhub.licences import (
    BURDENS,
    QUESTIONS,
    REQUIREMENTS,
    UNKNOWN,
    Answer,
    Licence,
    Named,
    agreed,
    bound_by,
    check,
    combined,
    from_json,
    known,
    strictures,
    to_json,
    unmet,
)

ANSWERS = st.sampled_from(Answer)
TEXTS = st.text(max_size=20)
LICENCES = st.builds(
    Licence,
    name=TEXTS,
    url=st.none() | TEXTS.filter(bool),
    because=st.lists(TEXTS.filter(bool), max_size=3).map(tuple),
    **dict.fromkeys(QUESTIONS, ANSWERS),
)
FREE = known("mit")
RESEARCH = known("noobai")


def strictness(question: str, answer: Answer) -> int:
    order = [Answer.NO, Answer.UNKNOWN, Answer.YES]
    return order.index(answer) if question in BURDENS else -order.index(answer)


@given(st.lists(LICENCES, min_size=1, max_size=4))
def test_a_stack_is_never_freer_than_any_of_its_models(licences: list[Licence]) -> None:
    verdict = combined([Named(str(number), one) for number, one in enumerate(licences)])
    for question in QUESTIONS:
        told = [strictness(question, one.answer(question)) for one in licences]
        assert strictness(question, verdict.licence.answer(question)) == max(told)


@given(LICENCES, LICENCES)
def test_a_model_is_never_freer_than_its_base_lets_it_be(licence: Licence, base: Licence) -> None:
    bound = bound_by(licence, base)
    for question in QUESTIONS:
        told = licence.answer(question), base.answer(question)
        least = max(strictness(question, one) for one in told)
        silent = question in BURDENS and Answer.UNKNOWN in told
        assert silent or strictness(question, bound.answer(question)) == least


@given(LICENCES)
def test_a_licence_outlives_json(licence: Licence) -> None:
    assert from_json(to_json(licence)) == licence


@pytest.mark.parametrize("held", [None, 7, [], {"because": "x", "url": 3, "merge": {}}, {"sell_images": "maybe"}])
def test_json_by_others_is_read_as_far_as_it_makes_sense(held: object) -> None:
    assert from_json(held) == UNKNOWN


def test_a_bare_name_is_read_as_one() -> None:
    assert from_json("mit") == Licence(name="mit")


def test_the_models_that_decide_are_named() -> None:
    verdict = combined([Named("1 (base)", FREE), Named("2 (kip)", RESEARCH), Named("3 (soft)", UNKNOWN)])
    assert verdict.licence.sell_images is Answer.NO
    assert verdict.decided_by["sell_images"] == ("2 (kip)",)
    assert verdict.licence.merge is Answer.UNKNOWN
    assert verdict.decided_by["merge"] == ("3 (soft)",)


def test_where_all_agree_nobody_decides() -> None:
    assert combined([Named("1", FREE), Named("2", FREE)]).decided_by == {}


def test_nothing_at_all_is_unknown() -> None:
    assert combined([]).licence == agreed([]) == UNKNOWN


def test_one_models_tellers_are_strict_where_they_differ_and_silence_is_no_answer() -> None:
    told = agreed([FREE, Licence(name="other", merge=Answer.NO, because=("civitai: no",))])
    assert (told.sell_images, told.merge) == (Answer.YES, Answer.NO)
    assert told.name == "mit; other"
    assert told.because == (*FREE.because, "civitai: no")


def test_strictures_hold_no_permission() -> None:
    kept = strictures(known("openrail++"))
    assert kept.restricts_use is Answer.YES
    assert {kept.answer(one) for one in QUESTIONS if one != "restricts_use"} == {Answer.UNKNOWN}
    assert strictures(RESEARCH).sell_images is Answer.NO


@pytest.mark.parametrize("require", REQUIREMENTS)
def test_a_free_licence_meets_every_requirement_and_an_unknown_one_none(require: str) -> None:
    check(require, [Named("1", FREE)])
    assert unmet(require, [Named("1", FREE), Named("2", UNKNOWN)]) == (Named("2", UNKNOWN),)


def test_a_refusal_names_the_models_their_licences_and_the_next_command() -> None:
    with pytest.raises(LicenceForbids) as caught:
        check("commercial", [Named("1 (base)", FREE), Named("2 (kip)", RESEARCH), Named("3 (soft)", UNKNOWN)])
    assert caught.value.message == (
        "commercial use is required, and the licence of 2 (kip) (noobai) does not let pictures made with it be sold; "
        "whether 3 (soft) allows it is not known"
    )
    assert caught.value.mend == "modelhub licence 2 3"
    assert caught.value.exit_code == 4


def test_a_requirement_that_nobody_knows_is_refused_with_those_there_are() -> None:
    with pytest.raises(BadValue, match="'fun'") as caught:
        check("fun", [])
    assert caught.value.mend == "one of commercial, service, credit-free, derivatives"
