"""The words that we know: Chinese phrases and the tags that models learned, ours and the user's own."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from importlib import resources
from pathlib import Path

from inference.prompt.tag_files import read_tags

__all__ = ["Phrase", "Role", "as_prompt", "phrases", "ranks", "read_terms"]

_GROUPS = ("degree", "number", "looks", "size", "state", "age", "colour", "material")
"""Groups of words that say how a thing is, in the order in which English says them."""


class Role(Enum):
    """What a phrase does to its neighbours."""

    NOUN = "noun"
    """Stands for itself."""
    MODIFIER = "modifier"
    """Says how the next thing is: 红色 (red)."""
    OPENER = "opener"
    """Takes the next thing as its object: 穿着 (wearing)."""
    HEAD = "head"
    """Is told more of by the thing before: 风格 (style)."""
    PASSED = "passed over"
    """Has no tag: 的, 一个."""
    AND = "and"
    GAP = "gap"
    """White space, where the writer saw a border."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Phrase:
    """One entry: a tag, and what it does."""

    tag: str
    """Lower-case English, as models know it; underscores and brackets are not yet those of a prompt."""
    role: Role = Role.NOUN


_ROLES = {**dict.fromkeys(_GROUPS, Role.MODIFIER), "doing": Role.OPENER, "head": Role.HEAD}


@cache
def phrases() -> Mapping[str, Phrase]:
    """Our own table: Chinese -> phrase."""
    return {chinese: Phrase(tag, _ROLES.get(group, Role.NOUN)) for group, chinese, tag in _rows()}


@cache
def ranks() -> Mapping[str, int]:
    """English modifier -> its place among others: a size (3) is said before a colour (6)."""
    return {tag: _GROUPS.index(group) for group, _, tag in _rows() if group in _GROUPS}


def read_terms(path: Path) -> Mapping[str, Phrase]:
    """A user's own phrases: every other name of a tag in a tag-completion file."""
    return {name: Phrase(row.tag) for row in read_tags(path) for name in row.aliases if not name.isascii()}


def as_prompt(tag: str) -> str:
    """A tag as a prompt holds it: spaces for underscores, and brackets that are no weights."""
    text = tag.replace("_", " ") if len(tag) > 3 else tag  # ^_^ and o_o are faces
    return text.replace("(", r"\(").replace(")", r"\)")


def _rows() -> list[tuple[str, str, str]]:
    """(group, Chinese, tag) of every line."""
    rows, group = [], ""
    for line in resources.files("inference.prompt").joinpath("phrases.tsv").read_text("utf-8").splitlines():
        if line.startswith("# "):
            group = line[2:]
        elif line:
            chinese, _, tag = line.partition("\t")
            rows.append((group, chinese, tag))
    return rows
