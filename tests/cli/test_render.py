"""Results look right to people and to programs."""

import io
import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cli.options import Options
from cli.render import Output, jsonable, plain, size_text, table
from modelhub.errors import UnknownRef
from modelhub.kinds import Facts, Kind


def shown(**how: bool) -> tuple[Output, io.StringIO, io.StringIO]:
    out, err = io.StringIO(), io.StringIO()
    return Output(out, err, **how), out, err


def test_a_table_lines_up_whatever_the_script() -> None:
    lines = table(("ID", "NAME", "KIND"), [(1, "水墨", "lora"), (22, "kip", "vae")]).splitlines()
    assert lines == ["ID  NAME  KIND", "1   水墨  lora", "22  kip   vae"]


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (4_265_146_304, "4.3 GB"), (2e15, "2000.0 TB")]
)
def test_sizes_are_told_in_decimal_units(size: float, text: str) -> None:
    assert size_text(size) == text


def test_text_by_strangers_is_made_harmless() -> None:
    assert plain("a\x1b[2J\x07b\n水") == "a\N{REPLACEMENT CHARACTER}[2J\N{REPLACEMENT CHARACTER}b\n水"


def test_nouns_become_json() -> None:
    facts = jsonable(Facts(Kind.LORA, resolution=(1, 2)))
    assert json.loads(json.dumps(facts))["kind"] == "lora"
    assert facts["resolution"] == [1, 2]
    assert jsonable({1: Path("a/b"), 2: datetime(2026, 1, 2, tzinfo=UTC)}) == {
        "1": "a/b",
        "2": "2026-01-02T00:00:00+00:00",
    }


def test_a_result_is_shown_as_asked() -> None:
    printed = {}
    for how in ({}, {"json": True}, {"jsonl": True}, {"quiet": True}):
        output, out, _ = shown(**how)
        output.show({"名": 1}, text=lambda: "text", ids=[1, 2])
        printed[next(iter(how), "text")] = out.getvalue()
    assert printed["text"] == "text\n"
    assert "名" in printed["json"]
    assert json.loads(printed["json"]) == {"名": 1}
    assert json.loads(printed["jsonl"]) == {"event": "done", "result": {"名": 1}}
    assert printed["quiet"] == "1\n2\n"


def test_text_is_not_made_when_nobody_reads_it() -> None:
    output, _, _ = shown(json=True)
    output.show([], text=lambda: pytest.fail("nobody asked"))


def test_hints_go_to_stderr_unless_quiet() -> None:
    output, out, err = shown()
    output.hint("next")
    assert (out.getvalue(), err.getvalue()) == ("", "next\n")
    output, _, err = shown(quiet=True)
    output.hint("next")
    assert err.getvalue() == ""


def test_an_error_is_shown_even_when_quiet() -> None:
    output, out, err = shown(quiet=True)
    output.error(UnknownRef("kip"))
    assert out.getvalue() == ""
    assert "kip" in err.getvalue()


@pytest.mark.parametrize(
    ("options", "environ"), [(Options(no_color=True), {}), (Options(), {"NO_COLOR": "1"}), (Options(), {})]
)
def test_no_color_is_used_where_it_is_not_wanted_or_not_seen(options: Options, environ: dict[str, str]) -> None:
    assert not Output.of(options, environ).color


@pytest.mark.parametrize("how", ["json", "jsonl"])
def test_what_is_not_utf_8_does_not_stop_a_document(how: str) -> None:
    output, out, _ = shown(**{how: True})

    output.show({"name": "a\udcff"}, text=str)

    assert "a?" in out.getvalue().encode().decode()


def test_quiet_names_a_file_in_its_own_bytes() -> None:
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")

    Output(out, io.StringIO(), quiet=True).show({}, text=str, ids=[Path(os.fsdecode(b"k\xff.png")), 7])
    out.flush()

    assert out.buffer.getvalue() == b"k\xff.png\n7\n"  # type: ignore[attr-defined]
