"""How findings speak of many files."""

import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path

__all__ = ["arguments", "below", "count", "named", "quoted", "share"]

_SHOWN = 3
_DESCRIPTIONS = (".toml", ".json", ".jsonl", ".csv", ".yaml", ".yml")


def count(number: int, one: str, many: str = "") -> str:
    """``1 picture``, ``3 pictures``."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def named(names: Iterable[str], shown: int = _SHOWN) -> str:
    """The first names, and how many more there are."""
    every = list(names)
    more = f" and {len(every) - shown} more" if len(every) > shown else ""
    return ", ".join(every[:shown]) + more


def below(root: Path, paths: Sequence[Path]) -> list[str]:
    """Paths as seen from the dataset, or from the folder that its description lies in."""
    base = root.parent if root.suffix.lower() in _DESCRIPTIONS else root
    return [str(path.relative_to(base) if path.is_relative_to(base) and path != base else path) for path in paths]


def share(part: float) -> str:
    """``12 %``, and ``0.4 %`` where that says more."""
    percent = 100 * part
    return f"{percent:.1f} %" if 0 < percent < 1 else f"{percent:.0f} %"


def quoted(path: Path | str) -> str:
    """As a command is given it."""
    return shlex.quote(str(path))


def arguments(paths: Sequence[Path], shown: int = _SHOWN) -> str:
    """The first of them as a command is given them; dots for more."""
    return " ".join(map(quoted, paths[:shown])) + " ..." * (len(paths) > shown)
