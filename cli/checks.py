"""How checked files are written for people, and what a command that checked them exits with."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from cli.render import table
from modelhub.errors import BrokenFile, MissingFile

if TYPE_CHECKING:
    from modelhub.catalog import Check

__all__ = ["checks_table", "exit_code"]


def exit_code(check: "Check") -> int:
    """0 for a file that is as it was, or whose digest was taken for the first time."""
    from modelhub.catalog import Verdict

    return {Verdict.CHANGED: BrokenFile.exit_code, Verdict.MISSING: MissingFile.exit_code}.get(check.verdict, 0)


def checks_table(checks: "Sequence[Check]") -> list[str]:
    """One row a file; nothing where there are none."""
    rows = [(one.artifact.id, one.artifact.name, one.verdict, one.path, one.reason) for one in checks]
    return [table(("ID", "NAME", "STATE", "PATH", "WHY"), rows)] if rows else []
