"""`modelhub rm REF...`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from cli.asking import confirmed
from cli.options import DryRun, Yes
from cli.session import Session

if TYPE_CHECKING:
    from modelhub.catalog import Removal


def command(
    session: Session,
    refs: Annotated[list[str], typer.Argument(metavar="REF...", help="Which models.")],
    yes: Yes = False,
    dry_run: DryRun = False,
) -> None:
    """Take models out of the catalog. Files inside the workspace go to its trash, others stay where they are."""
    with session.open_catalog() as catalog:
        wanted = dict.fromkeys(catalog.resolve(ref).id for ref in refs)
        removals = [catalog.removal(artifact_id) for artifact_id in wanted]
        about = _told(removals, "about to remove")
        done = not dry_run and confirmed(session, about, "Remove?", yes=yes, unasked="modelhub rm -y REF...")
        if done:
            removals = [catalog.remove(artifact_id) for artifact_id in wanted]
    report = {"removed": done, "models": removals}
    ids = list(wanted) if done else []
    session.output.show(report, text=lambda: _told(removals, "removed" if done else "would remove"), ids=ids)
    if trashed := [one.artifact.id for one in removals if one.trashed and done]:
        session.output.hint(f"to bring back what went to the trash: modelhub trash restore {trashed[0]}")


def _told(removals: Sequence["Removal"], verb: str) -> str:
    lines = []
    for one in removals:
        lines.append(f"{verb} {one.artifact.id} ({one.artifact.name})")
        lines += [f"  to the trash: {path}" for path in one.trashed]
        lines += [f"  left where it is: {path}" for path in one.forgotten]
    return "\n".join(lines)
