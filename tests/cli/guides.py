"""Reads what a page of the docs promises: the command lines on it, and what they print."""

import re
import shlex
from collections.abc import Iterator

from tests.cli.conftest import Run

__all__ = ["assert_named_commands_exist", "assert_shown", "commands_of"]


def commands_of(text: str) -> Iterator[tuple[str, list[str]]]:
    """Each command line of the page, with the lines that it prints."""
    for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            line, *shown = part.splitlines()
            yield line, shown


def assert_shown(line: str, out: str, shown: list[str]) -> None:
    """Three dots stand for anything, within a line or for any number of lines; how far columns stand apart, too."""
    pattern = "".join(".*" if one == "..." else f"{_pattern(one)}\n" for one in shown)
    assert not shown or re.fullmatch(pattern, out, re.DOTALL), f"$ {line}\n{out}"


def assert_named_commands_exist(text: str, run: Run) -> None:
    """What the prose names, with the options that it names."""
    prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    named = [shlex.split(line) for line in re.findall(r"`modelhub ([a-z][^`]*)`", prose)]
    assert named
    for command, *words in named:
        told = run(command, "--help")
        assert told.code == 0, command
        assert [word for word in words if word.startswith("--") and word not in told.out] == []


def _pattern(line: str) -> str:
    return r"\s+".join(re.escape(word).replace(r"\.\.\.", ".*?") for word in line.split()).join((r"\s*", r"[ \t]*"))
