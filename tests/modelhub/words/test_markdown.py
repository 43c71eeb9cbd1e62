"""Text by strangers is shown on a page and never obeyed; the reader of Markdown is an independent one."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from modelhub.words.markdown import code, fenced, inline, paragraphs, quoted

READER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[click](javascript:alert(1))",
    "![](https://tracker.example/x.png)",
    "[a]: https://evil.example",
    "`code` ``and`` ```more```",
    "\\`x\\`",
    "# heading",
    "1. list",
    "- item",
    "> quote",
    "---",
    "===",
    "| a | b |",
    "|---|---|",
    "&lt;b&gt; &#60;",
    "*bold* _so_ ~~gone~~ $x$",
    "<https://evil.example> www.evil.example a@evil.example",
    "a`https://evil.example`b",
    "```\n<b>\n```",
    "+ plus",
    "2) two",
    "    indented",
]
MARKS = st.text(st.sampled_from("`*_[]()<>!#-+.=~|\\&;$ \nab1:/@w"), max_size=40)


def _tags(html: str) -> set[str]:
    return set(re.findall(r"</?(\w+)", html))


def _seen(html: str) -> str:
    from html import unescape

    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


@pytest.mark.parametrize("text", HOSTILE)
def test_a_line_shows_every_mark_and_obeys_none(text: str) -> None:
    html = READER.render(inline(text))
    assert _tags(html) <= {"p", "code"}
    assert _seen(html).replace(" ", "") == "".join(text.split())


@given(MARKS)
def test_no_mixture_of_marks_is_obeyed(text: str) -> None:
    html = READER.render(f"before {inline(text)} after")
    assert _tags(html) <= {"p", "code"}
    assert html.count("<p>") == 1


@given(MARKS)
def test_lines_become_paragraphs_and_nothing_else(text: str) -> None:
    assert _tags(READER.render(paragraphs(text))) <= {"p", "code"}


@given(MARKS)
def test_code_ends_where_its_text_does(text: str) -> None:
    assert _tags(READER.render(f"- {code(text)} after")) <= {"ul", "li", "code"}
    html = READER.render(f"{fenced(text, 'python')}\n\nafter")
    assert html.endswith("</code></pre>\n<p>after</p>\n")


@given(st.text())
def test_a_quoted_text_is_one_line_of_json(text: str) -> None:
    line = quoted(text)
    assert len(line.splitlines()) == 1
    assert isinstance(json.loads(line), str)
