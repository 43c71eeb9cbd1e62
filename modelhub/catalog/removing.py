"""Takes artifacts out of the catalog: their rows stay for lineage, their files go to the trash if they are ours."""

import os
from collections.abc import Collection, Sequence
from pathlib import Path

from sqlalchemy import Connection, delete, select, update

from modelhub.catalog import tables
from modelhub.catalog.nouns import Removal
from modelhub.catalog.places import written_place
from modelhub.catalog.rows import now, reindex
from modelhub.kinds import Artifact
from modelhub.workspace import Workspace

__all__ = ["Moves", "planned", "resting_places", "take_out"]

_AT = tables.location
Moves = Sequence[tuple[str, str]]
"""(from, to), as the tables write places."""


def planned(artifact: Artifact, workspace: Workspace) -> Removal:
    """What removing would do, without doing it."""
    present = [at.path for at in artifact.locations if at.path.exists()]
    ours = tuple(path for path in present if workspace.owns(path))
    return Removal(artifact, ours, tuple(at.path for at in artifact.locations if at.path not in ours))


def resting_places(connection: Connection, removal: Removal, workspace: Workspace) -> Moves:
    """For each file that goes to the trash a place of its own in it."""
    moves: dict[str, str] = {}
    for path in removal.trashed:
        wished = workspace.trash / f"{removal.artifact.id}-{path.name}"
        moves[written_place(workspace.root, path)] = _free(connection, wished, workspace.root, moves.values())
    return list(moves.items())


def take_out(connection: Connection, artifact_id: int, moves: Moves) -> None:
    """Write down that an artifact was removed and its files were moved."""
    removed = update(tables.artifact).where(tables.artifact.c.id == artifact_id).values(removed_at=now())
    connection.execute(removed)
    for source, target in moves:
        trashed = {"path": target, "origin": source, "state": "trashed"}
        connection.execute(update(_AT).where(_AT.c.path == source).values(**trashed))
    connection.execute(delete(_AT).where(_AT.c.artifact_id == artifact_id, _AT.c.state != "trashed"))
    reindex(connection, artifact_id)


def _free(connection: Connection, wished: Path, root: Path, taken: Collection[str]) -> str:
    place = written_place(root, wished)
    recorded = connection.scalar(select(_AT.c.id).where(_AT.c.path == place))
    if recorded is None and place not in taken and not os.path.lexists(wished):
        return place
    number, dash, name = wished.name.partition("-")
    return written_place(root, wished.with_name(f"{number}{dash}{os.urandom(4).hex()}-{name}"))
