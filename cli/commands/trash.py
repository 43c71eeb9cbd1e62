"""`modelhub trash [list|restore|empty]`."""

from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from cli.asking import confirmed
from cli.duration import duration
from cli.render import size_text, table
from cli.session import Session
from modelhub.errors import BadValue
from modelhub.kinds import Artifact

if TYPE_CHECKING:
    from modelhub.catalog import Catalog, Trashed


class Action(StrEnum):
    """What is done with the trash."""

    LIST = "list"
    RESTORE = "restore"
    EMPTY = "empty"


def command(
    session: Session,
    action: Annotated[Action, typer.Argument(metavar="[list|restore|empty]", help="What to do.")] = Action.LIST,
    refs: Annotated[
        list[str] | None, typer.Argument(metavar="[REF...]", help="Which models to restore: IDs or old names.")
    ] = None,
    older_than: Annotated[
        str | None, typer.Option(help="Empty only what was removed longer ago, e.g. 30d.", show_default=False)
    ] = None,
    yes: Annotated[bool, typer.Option("-y", "--yes", help="Do not ask before emptying.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what emptying would delete.")] = False,
) -> None:
    """See what removed models lie in the trash, bring them back, or delete their files for good."""
    with session.open_catalog() as catalog:
        if action is Action.RESTORE:
            _restore(session, catalog, refs or [])
        elif refs:
            raise BadValue(f"trash {action} takes no models", mend="modelhub trash restore REF...")
        elif action is Action.EMPTY:
            _empty(session, catalog, older_than, ask=not yes, dry_run=dry_run)
        else:
            held = catalog.trash.list()
            session.output.show(held, text=lambda: _listing(held), ids=[one.artifact.id for one in held])


def _restore(session: Session, catalog: "Catalog", refs: Sequence[str]) -> None:
    if not refs:
        raise BadValue("no model to restore was named", mend="modelhub trash restore REF...")
    wanted = dict.fromkeys(catalog.trash.find(ref).artifact.id for ref in refs)
    restored = [catalog.artifact(catalog.trash.restore(str(one))) for one in wanted]
    session.output.show(restored, text=lambda: "\n".join(map(_told, restored)), ids=[one.id for one in restored])


def _empty(session: Session, catalog: "Catalog", older_than: str | None, *, ask: bool, dry_run: bool) -> None:
    from modelhub.upkeep import trash

    limit = duration(older_than) if older_than else None
    things = trash.due(catalog.trash.list(), older_than=limit, now=datetime.now(UTC))
    about = f"{_listing(things)}\nabout to delete {_amount(things)} for good"
    unasked = "modelhub trash empty -y"
    done = bool(things) and not dry_run and confirmed(session, about, "Delete?", yes=not ask, unasked=unasked)
    if done:
        session.run(trash.empty(catalog, things))
    report = {"deleted": done, "models": things, "bytes": sum(one.size for one in things)}
    summary = f"{'deleted' if done else 'would delete'} {_amount(things)}" if things else "nothing to delete"
    session.output.show(report, text=lambda: summary, ids=[one.artifact.id for one in things] if done else [])


def _amount(things: "Sequence[Trashed]") -> str:
    return f"{len(things)} models, {size_text(sum(one.size for one in things))}"


def _told(artifact: Artifact) -> str:
    return f"restored {artifact.id} ({artifact.name})\n  to {artifact.path}"


def _listing(held: "Sequence[Trashed]") -> str:
    if not held:
        return "the trash is empty"
    rows = [
        (
            one.artifact.id,
            one.artifact.name,
            size_text(one.size),
            f"{one.removed_at.astimezone():%Y-%m-%d %H:%M}",
            _from(one),
        )
        for one in held
    ]
    return table(("ID", "NAME", "SIZE", "REMOVED", "FROM"), rows)


def _from(thing: "Trashed") -> str:
    return ", ".join(str(at.origin or at.path) for at in thing.files)
