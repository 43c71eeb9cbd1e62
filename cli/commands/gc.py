"""`modelhub gc`: delete what nobody needs."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from cli.asking import confirmed
from cli.duration import duration
from cli.options import Yes
from cli.render import size_text, table
from cli.session import Session

if TYPE_CHECKING:
    from modelhub.upkeep.garbage import Garbage

_SHOWN = 20


def command(
    session: Session,
    cache_older_than: Annotated[
        str, typer.Option(help="Cache entries that were not used for so long, e.g. 30d, 12h.")
    ] = "30d",
    trash_older_than: Annotated[
        str | None, typer.Option(help="Removed models too, when they were removed longer ago.", show_default=False)
    ] = None,
    yes: Yes = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be deleted.")] = False,
) -> None:
    """Delete what nobody needs: half-written files, abandoned pulls, unused cache, old journals and backups."""
    from modelhub.upkeep import garbage

    trash = duration(trash_older_than) if trash_older_than else None
    limits = garbage.Limits(cache=duration(cache_older_than), trash=trash)
    with session.open_catalog() as catalog:
        found = garbage.find(catalog, limits, datetime.now(UTC))
        about = _told(found, "about to delete")
        if dry_run or not confirmed(session, about, "Delete?", yes=yes or not found, unasked="modelhub gc -y"):
            report = {"deleted": [], "found": found, "bytes": _bytes(found)}
            session.output.show(report, text=lambda: _told(found, "would delete"), ids=[one.path for one in found])
            return
        done = session.run(garbage.collect(catalog, found))
    session.output.show(
        done,
        text=lambda: f"{_told(done.deleted, 'deleted')}\nthe catalog gave back {size_text(done.tidied)}",
        ids=[one.path for one in done.deleted],
    )


def _bytes(found: "Sequence[Garbage]") -> int:
    return sum(one.size for one in found)


def _told(found: "Sequence[Garbage]", verb: str) -> str:
    if not found:
        return "nothing to delete"
    rows = [(one.sort, size_text(one.size), one.path) for one in found[:_SHOWN]]
    more = [f"and {len(found) - _SHOWN} more"] if len(found) > _SHOWN else []
    counts = ", ".join(f"{count} {sort}" for sort, count in sorted(Counter(one.sort for one in found).items()))
    return "\n".join([table(("WHAT", "SIZE", "FILE"), rows), *more, f"{verb} {counts}: {size_text(_bytes(found))}"])
