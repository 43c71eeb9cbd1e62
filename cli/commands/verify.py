"""`modelhub verify [REF...]`."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from cli.checks import checks_table, exit_code
from cli.options import SomeModels
from cli.session import Session

if TYPE_CHECKING:
    from modelhub.catalog import Check


def command(
    session: Session,
    refs: SomeModels = None,
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
    session.output.show(checks, text=lambda: _told(checks), ids=[one.artifact.id for one in checks if exit_code(one)])
    if code := max(map(exit_code, checks), default=0):
        raise typer.Exit(code)


def _told(checks: Sequence["Check"]) -> str:
    counts = Counter(one.verdict for one in checks)
    summary = ", ".join(f"{count} {verdict}" for verdict, count in sorted(counts.items())) or "nothing to verify"
    return "\n".join([*checks_table([one for one in checks if exit_code(one)]), summary])
