"""Styles: words that go around a prompt, kept in webui's ``styles.csv``."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from modelhub.errors import BadValue

__all__ = ["Style", "read_styles", "styled"]


@dataclass(frozen=True, slots=True)
class Style:
    """One row of the file."""

    name: str
    prompt: str
    negative_prompt: str


def read_styles(path: Path) -> Mapping[str, Style]:
    """Name -> style; none where there is no file. Rows that begin with ``#`` are remarks.

    Reads webui's columns name, prompt, negative_prompt, and the older name, text.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [row for row in csv.DictReader(file) if row.get("name") and not row["name"].startswith("#")]
    except FileNotFoundError:
        return {}
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadValue(f"{path} is no table of styles: {error}", mend="save it as CSV in UTF-8") from error
    styles = (
        Style(row["name"], row.get("prompt") or row.get("text") or "", row.get("negative_prompt") or "") for row in rows
    )
    return {style.name: style for style in styles}


def styled(prompt: str, negative: str, names: Sequence[str], known: Mapping[str, Style]) -> tuple[str, str]:
    """Both prompts with the styles of those names, in that order; raises `BadValue` naming near ones."""
    styles = [_named(name, known) for name in names]
    return (
        _merged(prompt, (style.prompt for style in styles)),
        _merged(negative, (style.negative_prompt for style in styles)),
    )


def _named(name: str, known: Mapping[str, Style]) -> Style:
    if name not in known:
        near = get_close_matches(name, known, n=3) or list(known)[:5]
        hint = f" (there are {', '.join(near)})" if near else ""
        raise BadValue(f"there is no style {name!r}{hint}", mend="write it into styles.csv of the workspace")
    return known[name]


def _merged(text: str, styles: Iterable[str]) -> str:
    """A style that holds ``{prompt}`` goes around the text, another behind it."""
    for style in styles:
        around = style.replace("{prompt}", text) if "{prompt}" in style else None
        text = around if around is not None else ", ".join(filter(None, (text.strip(), style.strip())))
    return text
