"""How commands are told of: in a list by a phrase, on their own page with their options in sections."""

import re
from textwrap import shorten
from typing import Any

from typer.core import TyperCommand

__all__ = ["SectionedCommand", "phrase"]

_SENTENCE = re.compile(r"(?<!e\.g)\.(\s|$)")
_PART = re.compile(r"[;:]\s")
_CLAUSE = re.compile(r"(?<=.{20}),\s(?![^(]*\))")
_DEFAULT_IN_WORDS = re.compile(r"\[default: \((.*)\)\]$")
_ARGUMENTS, _OTHERS = "Arguments", "Options"


class SectionedCommand(TyperCommand):
    """A command whose page shows options that belong together under one heading."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        sections: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None:
                told = _DEFAULT_IN_WORDS.sub(r"[default: \1]", record[1])
                sections.setdefault(_section(parameter), []).append((record[0], told))
        for section in sorted(sections, key=lambda section: (section != _ARGUMENTS, section == _OTHERS)):
            with formatter.section(section):
                formatter.write_dl(sections[section])


def phrase(docstring: str, room: int) -> str:
    """The first sentence, or as much of its beginning as makes sense alone and has room in a list."""
    sentence = " ".join(_SENTENCE.split(docstring.strip(), maxsplit=1)[0].split())
    for ends in ([len(sentence), *_places(_PART, sentence)], _places(_CLAUSE, sentence)[:1]):
        longest = max((end for end in ends if end <= room), default=None)
        if longest:
            return sentence[:longest]
    return shorten(sentence, room, placeholder=" ...")


def _places(mark: re.Pattern[str], sentence: str) -> list[int]:
    return [found.start() for found in mark.finditer(sentence)]


def _section(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return _ARGUMENTS
    return getattr(parameter, "rich_help_panel", None) or _OTHERS
