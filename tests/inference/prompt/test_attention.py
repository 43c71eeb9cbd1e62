import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.prompt.attention import BREAK, Run, parse_attention, read_runs

WEBUI = {
    "": [("", 1.0)],
    "a plain prompt": [("a plain prompt", 1.0)],
    "(a)": [("a", 1.1)],
    "[a]": [("a", 0.9091)],
    "(a:1.5)": [("a", 1.5)],
    "((a))": [("a", 1.21)],
    "[[a]]": [("a", 0.8264)],
    "((a:1.2) b:1.1)": [("a", 1.32), (" b", 1.1)],
    "(a:1.2:1.3)": [("a:1.2", 1.3)],
    "(a [b] c)": [("a ", 1.1), ("b", 1.0), (" c", 1.1)],
    "a:1.2)": [("a:1.2)", 1.0)],
    r"\(a\)": [("(a)", 1.0)],
    r"\[a\] \\": [("[a] \\", 1.0)],
    r"a\b": [("ab", 1.0)],
    "[x:2]": [("x:2", 0.9091)],
    "(a:0)": [("a", 0.0)],
    "(a:-.5)": [("a", -0.5)],
    "(a: +1.5 )": [("a", 1.5)],
    "(a:1.2": [("a:1.2", 1.1)],
    "b (a": [("b ", 1.0), ("a", 1.1)],
    "b [a": [("b ", 1.0), ("a", 0.9091)],
    "a) b": [("a) b", 1.0)],
    "a] b": [("a] b", 1.0)],
    "(a)(b)": [("ab", 1.1)],
    "(:1.5)": [("", 1.0)],
}
"""The vectors of stable-diffusion-webui's parser."""


@pytest.mark.parametrize(("prompt", "expected"), WEBUI.items())
def test_a_prompt_is_weighed_as_webui_weighs_it(prompt: str, expected: list[tuple[str, float]]) -> None:
    runs = [(run.text, round(run.weight, 4)) for run in parse_attention(prompt)]

    assert runs == expected


@pytest.mark.parametrize("number", ["1.2.3", ".", "1..2"])
def test_a_number_that_is_none_is_text(number: str) -> None:
    assert parse_attention(f"(x:{number})") == [Run(f"x:{number})", 1.1)]


def test_a_break_eats_the_space_around_it() -> None:
    assert parse_attention("a  BREAK\n b") == [Run("a", 1.0), Run(BREAK, 1.0, is_break=True), Run("b", 1.0)]


@pytest.mark.parametrize("prompt", ["BREAKFAST", "a break", "BREAK_a"])
def test_only_the_whole_word_in_capitals_is_a_break(prompt: str) -> None:
    assert parse_attention(prompt) == [Run(prompt, 1.0)]


def test_two_breaks_in_a_row_stay_two() -> None:
    assert [run.is_break for run in parse_attention("a BREAK BREAK b")] == [False, True, True, False]


def test_a_break_within_a_weighted_group_stays_a_break() -> None:
    assert parse_attention("(a BREAK b:1.3)") == [Run("a", 1.3), Run(BREAK, 1.0, is_break=True), Run("b", 1.3)]


@given(st.text(alphabet="ab :.,1\\()[]\n"))
def test_no_prompt_is_refused_and_equal_neighbours_are_one(prompt: str) -> None:
    runs = parse_attention(prompt)

    assert runs
    assert all(first.weight != second.weight for first, second in itertools.pairwise(runs))


@given(st.text(alphabet=st.characters(exclude_characters="\\()[]", exclude_categories=["Cs"])))
def test_a_prompt_without_brackets_is_left_as_it_is(prompt: str) -> None:
    if BREAK not in prompt:
        assert parse_attention(prompt) == [Run(prompt, 1.0)]


def test_emphasis_may_be_ignored_or_not_read_at_all() -> None:
    prompt = "a (b:1.2) BREAK c"

    assert read_runs(prompt, "Original") == read_runs(prompt, "No norm") == parse_attention(prompt)
    assert [run.weight for run in read_runs(prompt, "Ignore")] == [1.0] * 4
    assert read_runs(prompt, "None") == [Run(prompt, 1.0)]
