import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.prompt.schedule import Span, in_grammar, schedule, span_at

SWITCHES = {
    "[a:b:.5]": [(10, "a"), (20, "b")],
    "[a:b:1.0]": [(20, "a")],
    "[a:b:1]": [(1, "a"), (20, "b")],
    "[a:b:5]": [(5, "a"), (20, "b")],
    "[a:b: 5 ]": [(5, "a"), (20, "b")],
    "[a:b:0]": [(20, "b")],
    "[a:b:-3]": [(20, "b")],
    "[a:b:-.5]": [(20, "b")],
    "[a:b:5.5]": [(20, "a")],
    "[a:b:99]": [(20, "a")],
    "[a:b:2e-1]": [(20, "b")],
    "[a:b:2.5e-1]": [(5, "a"), (20, "b")],
    "[b:5]": [(5, ""), (20, "b")],
    "[:b:5]": [(5, ""), (20, "b")],
    "[a::5]": [(5, "a"), (20, "")],
    "x [ a : b :5] y": [(5, "x  a  y"), (20, "x  b  y")],
    "[[a:b:4]:c:10]": [(4, "a"), (10, "b"), (20, "c")],
    "[a:[b:c:10]:4]": [(4, "a"), (10, "b"), (20, "c")],
    "([a:b:5]:1.2)": [(5, "(a:1.2)"), (20, "(b:1.2)")],
    "[(a:1.3):[b]:5]": [(5, "(a:1.3)"), (20, "[b]")],
    "[[a:b:5]": [(5, "[a"), (20, "[b")],
    "[a:b:5]]": [(5, "a]"), (20, "b]")],
}
"""Prompt -> spans of 20 calls."""
VERBATIM = ["", "a", "[a]", "[a:b]", "[a:b:x]", "[a|b:0.5]", "[a:b:c:5]", "[a:b:1.2.3]", "a | b", "a | [b:c:5]", "a\\"]


@pytest.mark.parametrize(("prompt", "expected"), SWITCHES.items())
def test_a_prompt_switches_where_webui_switches(prompt: str, expected: list[tuple[int, str]]) -> None:
    assert [(span.until, span.text) for span in schedule(prompt, 20)] == expected


@pytest.mark.parametrize("prompt", VERBATIM)
def test_what_is_no_schedule_stays_as_it_is(prompt: str) -> None:
    assert schedule(prompt, 20) == (Span(20, prompt),)


def test_options_take_turns_call_by_call_and_may_be_empty() -> None:
    assert [span.text for span in schedule("[a|b|c]", 5)] == ["a", "b", "c", "a", "b"]
    assert [span.text for span in schedule("[fe|]male", 3)] == ["female", "male", "female"]
    assert [span.text for span in schedule("[a:[b|c]:2]", 4)] == ["a", "a", "b", "c"]


@pytest.mark.parametrize(("prompt", "seen"), [("[a|b]", "aababa"), ("[a:b:2]", "aaabbb"), ("[a:b:.5]", "aaaabb")])
def test_calls_are_counted_from_0_so_that_the_first_text_holds_one_longer(prompt: str, seen: str) -> None:
    spans = schedule(prompt, 6)

    assert "".join(spans[span_at(spans, call)].text for call in range(6)) == seen


def test_a_call_after_the_last_one_sees_the_first_text() -> None:
    spans = schedule("[a:b:2]", 6)

    assert [span_at(spans, call) for call in (2, 3, 6, 7)] == [0, 1, 1, 0]


def test_a_prompt_outside_of_the_grammar_is_told_apart() -> None:
    assert in_grammar("([a:b:5] [c|d]) :]")
    assert not in_grammar("[a:b:5] | c")


def test_brackets_nested_without_end_are_text() -> None:
    prompt = "[" * 2000

    assert schedule(prompt, 20) == (Span(20, prompt),)


@given(st.text(alphabet="ab |:.15\\()[]\n"), st.integers(1, 7))
def test_any_prompt_has_spans_that_end_with_the_last_call(prompt: str, calls: int) -> None:
    ends = [span.until for span in schedule(prompt, calls)]

    assert ends == sorted(set(ends))
    assert ends[-1] == calls


SECOND_PASS = {
    "[a:b:1.5]": [(5, "a"), (10, "b")],
    "[a:b:0.5]": [(10, "b")],
    "[a:b:1.0]": [(10, "b")],
    "[a:b:2.0]": [(10, "a")],
    "[a:b:20]": [(10, "b")],
    "[a:b:24]": [(4, "a"), (10, "b")],
    "[a:b:99]": [(10, "a")],
    "[[a:b:1.25]:c:26]": [(2, "a"), (6, "b"), (10, "c")],
}
"""Prompt -> spans of a second pass of 10 calls, after a first one of 20."""


@pytest.mark.parametrize(("prompt", "expected"), SECOND_PASS.items())
def test_a_second_pass_goes_on_counting_where_the_first_one_ended(prompt: str, expected: list[tuple[int, str]]) -> None:
    assert [(span.until, span.text) for span in schedule(prompt, 10, before=20)] == expected


def test_what_is_to_change_in_the_second_pass_never_changes_in_the_first() -> None:
    assert schedule("[a:b:1.5] [c:d:25]", 20) == (Span(20, "a c"),)


def test_turns_begin_anew_in_a_second_pass() -> None:
    assert [span.text for span in schedule("[a|b]", 3, before=2)] == ["a", "b", "a"]
