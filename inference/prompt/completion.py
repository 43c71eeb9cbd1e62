"""What a word in a prompt may become: tags, phrases in Chinese, and models that the catalog holds."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from inference.prompt.phrases import as_prompt, phrases
from inference.prompt.tag_files import TagRow, read_tags
from inference.prompt.wildcards import WILDCARD, Wildcards

__all__ = ["Completion", "Named", "asks_for_lora", "best", "models", "tags", "wildcards"]

_LORA = re.compile(r"<(?P<type>\w*)(?P<named>:(?P<name>.*))?", re.DOTALL)
_LORA_TYPES = ("lora", "lyco")
_FAR = 9


@dataclass(frozen=True, slots=True)
class Named:
    """A model that a prompt can call."""

    name: str
    aliases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Completion:
    """One way to go on."""

    kind: str
    """``tag``, ``lora``, ``embedding`` or ``wildcard``."""
    insert: str
    """What takes the place of the beginning, as a prompt holds it."""
    count: int
    """Pictures that are tagged so; 0 where nothing tells."""
    alias: str | None
    """The other name that was found, when it was not the tag itself."""
    distance: int
    """0 for the very word, 1 for a tag that begins so, 2 for another name, 3 and 4 where a later word does."""


def tags(beginning: str, files: Iterable[Path]) -> list[Completion]:
    """Tags of the files and of our own table that `beginning` may become; spaces and underscores are one."""
    wanted = _plain(beginning)
    if not wanted.strip():
        return []
    rows = [row for path in files for row in read_tags(path, wanted=lambda line: _may_hold(_plain(line), wanted))]
    found = (_found("tag", as_prompt(row.tag), row, wanted) for row in (*rows, *_ours()))
    return [one for one in found if one]


def models(beginning: str, held: Iterable[Named], kind: str) -> list[Completion]:
    """Models of one kind, ``lora`` or ``embedding``, that `beginning` may become."""
    match = _LORA.match(beginning)
    wanted = _plain((match["name"] or "") if match else beginning)
    written = "<lora:{}:1>" if kind == "lora" else "{}"
    rows = (TagRow(one.name, 0, one.aliases) for one in held)
    found = (_found(kind, written.format(row.tag), row, wanted) for row in rows)
    return [one for one in found if one]


def wildcards(beginning: str, files: Wildcards) -> list[Completion]:
    """Wildcards that ``__co`` may become; of a whole one, ``__colours__`` and what follows it, the lines."""
    match = WILDCARD.match(beginning)
    if match and match["name"] in files.files:
        rest = _plain(beginning[match.end() :])
        lines = [line for line in files.lines(match["name"]) if rest in _plain(line)]
        return [Completion("wildcard", line, 0, None, index) for index, line in enumerate(lines)]
    rows = (TagRow(name, 0, ()) for name in files.files)
    wanted = _plain(beginning.removeprefix("__"))
    found = (_found("wildcard", f"__{row.tag}__", row, wanted) for row in rows)
    return [one for one in found if one]


def asks_for_lora(beginning: str) -> bool:
    """Whether it opens a LoRA's brackets: ``<``, ``<lo``, ``<lora:ki``."""
    match = _LORA.match(beginning)
    if not match:
        return False
    given = match["type"].lower()
    return given in _LORA_TYPES if match["named"] else any(each.startswith(given) for each in _LORA_TYPES)


def best(found: Iterable[Completion], limit: int) -> list[Completion]:
    """The nearest first, among equals what most pictures are tagged with; each text once."""
    kept: dict[str, Completion] = {}
    for one in sorted(found, key=lambda one: (one.distance, -one.count, len(one.insert), one.insert)):
        kept.setdefault(one.insert, one)
    return list(kept.values())[:limit]


def _may_hold(line: str, wanted: str) -> bool:
    """Whether a tag file's line is worth a look; one Latin letter stands in most, and asks for tags that begin so."""
    return line.startswith(wanted) if len(wanted) == 1 and wanted.isascii() else wanted in line


def _found(kind: str, insert: str, row: TagRow, wanted: str) -> Completion | None:
    """How near the row comes by the best of its names."""
    names: Sequence[tuple[int, str]] = [(0, row.tag), *((1, alias) for alias in row.aliases)]
    distance, name = min((_distance(_plain(name), wanted, other), name) for other, name in names)
    if distance == _FAR:
        return None
    return Completion(kind, insert, row.count, None if name == row.tag else name, distance)


def _distance(name: str, wanted: str, other: int) -> int:
    if name == wanted:
        return 0
    if name.startswith(wanted):
        return 1 + other
    within = not wanted.isascii() or re.search(rf"\b{re.escape(wanted)}", name)
    return 3 + other if wanted in name and within else _FAR


def _plain(text: str) -> str:
    return text.lower().replace("_", " ")


@cache
def _ours() -> Sequence[TagRow]:
    """Our table by its tags, each with its Chinese names."""
    names: dict[str, list[str]] = {}
    for chinese, phrase in phrases().items():
        names.setdefault(phrase.tag, []).append(chinese)
    return [TagRow(tag, 0, tuple(aliases)) for tag, aliases in names.items()]
