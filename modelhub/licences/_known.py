"""The licences that models carry: a table (`known.toml`), and finding a licence in it by any of its spellings."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from importlib import resources
from typing import Any

from modelhub.licences._terms import UNKNOWN, Answer, Licence

__all__ = ["known", "known_names", "of_base", "of_family", "of_repository"]


def known(name: str | None, *, link: str | None = None) -> Licence:
    """The licence that hubs write so, with its answers; one that is not in the table keeps its name and is unknown."""
    name = " ".join((name or "").split())[:_MAX_NAME]
    if found := _by("also").get(_spelling(name)):
        return replace(found, url=link or found.url)
    if found := _by("alike").get(_spelling(name)):
        return replace(found, name=name.lower(), url=link, because=(f"{name.lower()}: like {found.because[0]}",))
    if _spelling(name) in _SAY_NOTHING:
        return UNKNOWN if not link else replace(UNKNOWN, name=name, url=link, because=(f"its terms stand at {link}",))
    where = f"read {link}" if link else "read its page"
    return replace(UNKNOWN, name=name, url=link, because=(f"what {name!r} allows is not known here: {where}",))


def of_base(base: str) -> Licence | None:
    """The licence of what Civitai calls the base model; None for one that is not in the table."""
    return _by("bases").get(_spelling(base))


def of_repository(name: str) -> Licence | None:
    """The licence of what HuggingFace has under ``OWNER/REPO``; None for what is not in the table."""
    return _by("repositories").get(_spelling(name))


def of_family(family: str | None) -> Licence | None:
    """The licence of the weights that a family began with; None where they carry different ones."""
    return _by("families").get(_spelling(family or ""))


def known_names() -> tuple[str, ...]:
    """Of all licences in the table, as hubs write them most."""
    return tuple(_table()["licence"])


_MAX_NAME = 100
"""Characters: in a header the whole text may stand where its name belongs."""
_SAY_NOTHING = ("", "other", "unknown", "custom", "none")


def _spelling(text: str) -> str:
    """What different spellings of one name have in common."""
    return re.sub(r"[^a-z0-9.+]+", "-", text.casefold()).strip("-")


@cache
def _by(entry: str) -> Mapping[str, Licence]:
    """The licences by their names (``also``), or by what carries them."""
    return {_spelling(text): licence for name, licence, row in _rows() for text in _said(entry, name, row)}


def _said(entry: str, name: str, row: Mapping[str, Any]) -> Iterator[str]:
    yield from row.get(entry, ())
    if entry == "also":
        yield name


def _rows() -> Iterator[tuple[str, Licence, Mapping[str, Any]]]:
    table = _table()
    for name, row in table["licence"].items():
        answers = [table["terms"][row["terms"]]] if "terms" in row else []
        said = {
            question: answer
            for one in (*answers, row)
            for answer in (Answer.YES, Answer.NO)
            for question in one.get(answer.value, ())
        }
        yield name, Licence(name=name, url=row["url"], because=(f"{name}: {row['because']}",), **said), row


@cache
def _table() -> Mapping[str, Any]:
    return tomllib.loads(resources.files(__package__).joinpath("known.toml").read_text(encoding="utf-8"))
