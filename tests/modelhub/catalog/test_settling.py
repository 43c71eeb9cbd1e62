"""Two files are told apart by the cheapest question that can: inode, sample, digest."""

from typing import Any

import pytest

from modelhub.catalog.settling import Ask, Found, Question, Twin, compared
from modelhub.fingerprint import Fingerprint
from modelhub.kinds import Facts

FOUND = Found("here", "here", Fingerprint(10, 1, "1:1"), "s", Facts())
KEY, SAMPLE, THEIRS = (Question(ask, "there") for ask in Ask)
OURS = Question(Ask.DIGESTS, "here")

CASES: dict[str, tuple[Twin, dict[Question, Any], int | Question | None]] = {
    "the same inode is looked at again": (Twin(7, "there", "1:1", "s", None), {}, KEY),
    "the same inode is the same file": (Twin(7, "there", "1:1", None, None), {KEY: "1:1"}, 7),
    "an inode that was given away is not": (Twin(7, "there", "1:1", "t", None), {KEY: "1:9"}, None),
    "an inode whose file is gone is not": (Twin(7, "there", "1:1", "t", None), {KEY: None}, None),
    "an unknown sample is asked for": (Twin(7, "there", "1:2", None, None), {}, SAMPLE),
    "another sample is another file": (Twin(7, "there", "1:2", None, "d"), {SAMPLE: "t"}, None),
    "no sample is no file": (Twin(7, "there", "1:2", None, None), {SAMPLE: None}, None),
    "an equal sample asks for their digest": (Twin(7, "there", "1:2", "s", None), {}, THEIRS),
    "and for ours": (Twin(7, "there", "1:2", "s", "d"), {}, OURS),
    "equal digests are one file": (Twin(7, "there", "1:2", "s", "d"), {OURS: {"sha256": "d"}}, 7),
    "other digests are two": (Twin(7, "there", "1:2", "s", "d"), {OURS: {"sha256": "e"}}, None),
    "a file that is gone is not this one": (Twin(7, "there", None, "s", None), {THEIRS: {}, OURS: {}}, None),
}


@pytest.mark.parametrize("case", CASES)
def test_what_one_comparison_comes_to(case: str) -> None:
    twin, answers, expected = CASES[case]
    equal, question = compared(FOUND, [twin], answers)
    assert (question if equal is None else equal) == expected


def test_the_first_that_is_equal_wins_and_unequal_ones_are_passed() -> None:
    twins = [Twin(3, "x", "1:2", "t", None), Twin(5, "y", "1:3", "s", "d"), Twin(7, "z", "1:4", "s", "d")]
    assert compared(FOUND, twins, {OURS: {"sha256": "d"}}) == (5, None)


def test_without_twins_there_is_nothing_to_ask() -> None:
    assert compared(FOUND, [], {}) == (None, None)
