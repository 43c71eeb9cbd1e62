"""`modelhub rename REF NAME`."""

from typing import Annotated

import typer

from cli.session import Session


def command(
    session: Session,
    ref: Annotated[str, typer.Argument(help="Which model.")],
    name: Annotated[str, typer.Argument(help="Its new name.")],
) -> None:
    """Give a model another name; its ID and its file stay."""
    with session.open_catalog() as catalog:
        was = catalog.resolve(ref)
        artifact = catalog.rename(was.id, name)
    session.output.show(artifact, text=lambda: f"{artifact.id}: {was.name} is now {artifact.name}", ids=[artifact.id])
