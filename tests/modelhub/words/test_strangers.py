"""Text by strangers comes out harmless, whatever it was."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelhub.words.strangers import cleaned, distinct, number_in, parsed, texts_in, unmarked


@pytest.mark.parametrize(
    ("text", "harmless"),
    [
        ("a\x1b[31m red\x07", "a red"),
        ("two\r\nlines\rand\n three", "two\nlines\nand\n three"),
        ("\ud800half\u202e turned", "half turned"),
        ("full\u3000width\tspace", "full width space"),
        ("https://h/x?token=abc123&a=1", "https://h/x?token=...&a=1"),
        ("https://h/x?X-Amz-Signature=ab", "https://h/x?X-Amz-Signature=..."),
        ("None", ""),
        (None, ""),
        (12, ""),
        ("机器人", "机器人"),
    ],
)
def test_control_characters_and_secrets_go(text: object, harmless: str) -> None:
    assert cleaned(text, 100) == harmless


@given(st.text(st.characters()), st.integers(1, 20))
def test_what_is_cleaned_fits_and_can_be_stored(text: str, limit: int) -> None:
    kept = cleaned(text, limit)
    assert len(kept) <= limit
    kept.encode()
    assert all(one == "\n" or one.isprintable() for one in kept)


@pytest.mark.parametrize("text", ["[" * 100_000, "{", "NaN,", "9" * 5000, " " * 101, None, b"{}"])
def test_what_is_no_json_is_none(text: object) -> None:
    assert parsed(text, 100 if text == " " * 101 else 1_000_000) is None


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("1e-4", 1e-4),
        (3, 3.0),
        (" 0 ", 0.0),
        ("nan", None),
        ("1e999", None),
        (10**400, None),
        (True, None),
        ("x", None),
    ],
)
def test_a_number_is_finite_and_of_storable_size(value: object, number: float | None) -> None:
    assert number_in(value) == number


def test_words_come_once_in_their_first_spelling() -> None:
    assert distinct(["Kip, ", "kip", "", " , ", "red"]) == ("Kip", "red")
    assert texts_in(["a", 1, "b", "c"], limit=5, count=3) == ("a", "b")
    assert texts_in("one", limit=2, count=3) == ("on",)
    assert texts_in({"a": 1}, limit=2, count=3) == ()


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>Hi <b>you</b></p><ul><li>one<li>two</ul>", "Hi you\n\none\ntwo"),
        ("<script>alert(1)</script>seen<style>x", "seen"),
        ("a &lt;b&gt; &amp; c<!-- not this", "a <b> & c"),
        ('<a href="javascript:x" onclick=y>link</a>', "link"),
        ("use <lora:kip:0.8> at 1<2", "use <lora:kip:0.8> at 1<2"),
        ("plain\n  lines", "plain\n  lines"),
    ],
)
def test_html_becomes_plain_text(html: str, text: str) -> None:
    assert unmarked(html) == text


@pytest.mark.parametrize("piece", ["<script", "<script>", "<!--", "<p ", "<", "&", "</"])
def test_html_that_never_ends_costs_nothing(piece: str) -> None:
    assert len(unmarked(piece * 20_000)) <= 50_000
