"""`modelhub note REF [TEXT]`."""

from typing import Annotated

import typer

from cli.render import plain
from cli.session import Session


def command(
    session: Session,
    ref: Annotated[str, typer.Argument(help="Which model.")],
    text: Annotated[str | None, typer.Argument(help="What to note; '' clears it.", show_default=False)] = None,
) -> None:
    """Show your own note on a model, or write it; searches find its words."""
    with session.open_catalog() as catalog:
        artifact = catalog.resolve(ref)
        if text is not None:
            artifact = catalog.set_note(artifact.id, text)
    report = {"id": artifact.id, "name": artifact.name, "note": artifact.note}
    shown = plain(artifact.note) or f"{artifact.id} ({artifact.name}) has no note"
    session.output.show(report, text=lambda: shown, ids=[artifact.id])
