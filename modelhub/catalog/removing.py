"""Takes artifacts out of the catalog: their rows stay for lineage, their files go to the trash if they are ours."""

import os
import shutil
from contextlib import ExitStack
from pathlib import Path

from sqlalchemy import Connection, delete, update

from modelhub.catalog import tables
from modelhub.catalog.nouns import Removal
from modelhub.catalog.places import written_place
from modelhub.catalog.rows import now, reindex
from modelhub.kinds import Artifact
from modelhub.workspace import Workspace

__all__ = ["planned", "take_out"]


def planned(artifact: Artifact, workspace: Workspace) -> Removal:
    """What removing would do, without doing it."""
    present = [at.path for at in artifact.locations if at.path.exists()]
    ours = tuple(path for path in present if workspace.owns(path))
    return Removal(artifact, ours, tuple(at.path for at in artifact.locations if at.path not in ours))


def take_out(connection: Connection, removal: Removal, workspace: Workspace) -> None:
    """Do it. When a file cannot be moved, those already moved come back and the error is raised."""
    artifact = removal.artifact
    removed = update(tables.artifact).where(tables.artifact.c.id == artifact.id).values(removed_at=now())
    connection.execute(removed)
    reindex(connection, artifact.id)
    at = tables.location
    with ExitStack() as undo:
        for path in removal.trashed:
            resting = _resting_place(workspace.trash, artifact.id, path)
            shutil.move(path, resting)
            undo.callback(shutil.move, resting, path)
            moved = {"path": written_place(workspace.root, resting), "state": "trashed"}
            connection.execute(update(at).where(at.c.path == written_place(workspace.root, path)).values(**moved))
        connection.execute(delete(at).where(at.c.artifact_id == artifact.id, at.c.state != "trashed"))
        undo.pop_all()


def _resting_place(trash: Path, artifact_id: int, path: Path) -> Path:
    trash.mkdir(parents=True, exist_ok=True)
    wished = trash / f"{artifact_id}-{path.name}"
    return wished if not os.path.lexists(wished) else trash / f"{artifact_id}-{os.urandom(4).hex()}-{path.name}"
