"""What an export made in a folder, written down there before it is made: only that is ever replaced or taken away."""

import hashlib
import json
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

from modelhub.errors import Conflict
from modelhub.workspace import publish

__all__ = ["MANIFEST", "Exported", "Made", "marks_at", "read_exported", "write_exported"]

MANIFEST = ".modelhub-export.json"
_SCHEMA = 1
_MAX_TEXT = 100_000
"""Bytes of a note that we wrote."""
_COARSE = 2 * 10**9
"""Nanoseconds: file systems of memory cards keep no finer times."""


@dataclass(frozen=True, slots=True)
class Made:
    """One name that is ours."""

    artifact_id: int
    marks: tuple[str, ...]
    """What may stand there and be ours: what was made last, and what was about to be."""


@dataclass(frozen=True, slots=True)
class Exported:
    """Everything in one folder that is ours, by its path below it."""

    made: Mapping[str, Made] = field(default_factory=dict)

    def owns(self, folder: Path, name: str) -> bool:
        """Whether what stands there is still what we made."""
        return name in self.made and not marks_at(folder / name).isdisjoint(self.made[name].marks)

    def with_plans(self, plans: Mapping[str, Made]) -> "Exported":
        """Both what stands there and what is about to: whichever a kill leaves, it is known as ours."""
        both = {
            name: replace(one, marks=tuple(dict.fromkeys((*self.made[name].marks, *one.marks))))
            for name, one in plans.items()
            if name in self.made
        }
        return Exported({**self.made, **plans, **both})


def read_exported(folder: Path, layout: str) -> Exported:
    """What the manifest in `folder` says; raises `Conflict` when it is not one that we understand."""
    path = folder / MANIFEST
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
        rows = held["layouts"].get(layout, {}) if held["schema"] <= _SCHEMA else None
        if rows is None:
            raise Conflict(f"{path} was written by a newer ModelHub", mend="pip install -U modelhub-suite")
        return Exported({name: _made(row) for name, row in rows.items() if _is_below(name)})
    except FileNotFoundError:
        return Exported()
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise Conflict(f"{path} is no manifest of an export", mend=f"look at it, then remove it: {path}") from None


def write_exported(folder: Path, layout: str, exported: Exported) -> None:
    """Write the manifest whole; what it says of other layouts stays."""
    path = folder / MANIFEST
    others = json.loads(path.read_text(encoding="utf-8"))["layouts"] if path.exists() else {}
    rows = {name: {"id": one.artifact_id, "marks": list(one.marks)} for name, one in sorted(exported.made.items())}
    content = {"schema": _SCHEMA, "layouts": {**others, layout: rows}}
    with publish(path) as part:
        part.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")


def marks_at(path: Path) -> set[str]:
    """Everything by which a thing of ours at `path` could be known; empty when nothing is there."""
    try:
        there = path.lstat()
        if stat.S_ISLNK(there.st_mode):
            return {f"symbolic {path.readlink()}"}
        if not stat.S_ISREG(there.st_mode):
            return {"other"}
        text = {text_mark(path.read_bytes())} if there.st_size <= _MAX_TEXT else set()
    except OSError:
        return {"other"} if os.path.lexists(path) else set()
    return {hard_mark(there), copy_mark(there), *text}


def hard_mark(there: os.stat_result) -> str:
    """Of the same file under another name."""
    return f"hard {there.st_ino} {there.st_size}"


def copy_mark(there: os.stat_result) -> str:
    return f"copy {there.st_size} {there.st_mtime_ns // _COARSE}"


def text_mark(content: bytes) -> str:
    return f"text {hashlib.sha256(content).hexdigest()}"


def _made(row: Mapping[str, Any]) -> Made:
    return Made(int(row["id"]), tuple(str(mark) for mark in row["marks"]))


def _is_below(name: str) -> bool:
    """A manifest may have been tampered with: nothing outside the folder is ours."""
    path = PurePosixPath(name)
    return bool(path.parts) and not path.is_absolute() and ".." not in path.parts and "\\" not in name
