"""`modelhub verify [REF...]`."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from cli.render import table
from cli.session import Session
from modelhub.errors import BrokenFile, MissingFile

if TYPE_CHECKING:
    from modelhub.catalog import Check


def command(
    session: Session,
    refs: Annotated[list[str] | None, typer.Argument(metavar="[REF...]", help="Which models; all by default.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Compare sizes and times only; read nothing.")] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Begin anew, where a check of all had been interrupted.")
    ] = False,
) -> None:
    """Read files again and compare them with what the catalog knows; the first time, their digests are recorded."""
    from modelhub.upkeep.verify import verify

    with session.open_catalog() as catalog:
        wanted = [catalog.resolve(ref) for ref in refs] if refs else None
        checks = session.run(verify(catalog, wanted, quick=quick, again=again))
    session.output.show(checks, text=lambda: _told(checks), ids=[one.artifact.id for one in checks if _exit_code(one)])
    if code := max(map(_exit_code, checks), default=0):
        raise typer.Exit(code)


def _exit_code(check: "Check") -> int:
    from modelhub.catalog import Verdict

    return {Verdict.CHANGED: BrokenFile.exit_code, Verdict.MISSING: MissingFile.exit_code}.get(check.verdict, 0)


def _told(checks: Sequence["Check"]) -> str:
    counts = Counter(one.verdict for one in checks)
    summary = ", ".join(f"{count} {verdict}" for verdict, count in sorted(counts.items())) or "nothing to verify"
    wrong = [
        (one.artifact.id, one.artifact.name, one.verdict, one.path, one.reason) for one in checks if _exit_code(one)
    ]
    return "\n".join([*([table(("ID", "NAME", "STATE", "PATH", "WHY"), wrong)] if wrong else []), summary])
