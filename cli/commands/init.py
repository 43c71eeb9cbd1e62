"""`modelhub init [DIR]`: make a workspace."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from cli.session import Session


def command(
    session: Session,
    folder: Annotated[Path | None, typer.Argument(help="Where; here by default.", show_default=False)] = None,
) -> None:
    """Make a workspace: a folder with a catalog, in which models, pictures and runs are kept."""
    told = session.options.home or session.environ.get("MODELHUB_HOME")
    here = folder or (Path(told) if told else session.cwd)
    inside = replace(session, options=replace(session.options, home=here))
    existed = inside.workspace.catalog.exists()
    with inside.create_catalog() as catalog:
        held, root = catalog.count(), catalog.workspace.root
    line = f"{root} has a catalog already, with {held} models" if existed else f"made a catalog in {root}"
    session.output.show({"home": root, "existed": existed, "held": held}, text=lambda: line, ids=[root])
    session.output.hint("next: modelhub add PATH...")
