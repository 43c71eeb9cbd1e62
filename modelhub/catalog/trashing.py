"""What lies in the trash, and how it comes back; a move into it or out of it is written down before it begins."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, delete, select, update

from modelhub.catalog import tables
from modelhub.catalog.labels import free_name
from modelhub.catalog.moving import move
from modelhub.catalog.nouns import Trashed
from modelhub.catalog.places import read_place, written_place
from modelhub.catalog.removing import Moves, take_out
from modelhub.catalog.rows import artifacts, now, reindex
from modelhub.errors import AmbiguousRef, Conflict, NotFound
from modelhub.kinds import Artifact
from modelhub.workspace import Workspace

__all__ = [
    "KINDS",
    "carry",
    "discard",
    "found",
    "intent",
    "moves_of",
    "put_back",
    "refuse_recorded",
    "return_moves",
    "settled",
    "trashed",
]

TRASH, RESTORE = "trash", "restore"
KINDS = (TRASH, RESTORE)
"""Runs that move files: one that a dead process left is carried to its end."""

_A, _AT = tables.artifact, tables.location


def intent(artifact_id: int, moves: Moves) -> Mapping[str, Any]:
    """What a run of one of `KINDS` writes down before the first file is moved."""
    return {"artifact": artifact_id, "moves": [list(each) for each in moves]}


def moves_of(payload: Mapping[str, Any]) -> tuple[int, Moves]:
    """What `intent` wrote down."""
    return payload["artifact"], [(source, target) for source, target in payload["moves"]]


def carry(root: Path, moves: Moves) -> None:
    """Move every file; when one cannot be, those already moved come back and the error is raised."""
    done: list[tuple[Path, Path]] = []
    try:
        for source, target in moves:
            here, there = read_place(root, source), read_place(root, target)
            move(here, there)
            done.append((there, here))
    except OSError:
        for there, here in reversed(done):
            move(there, here)
        raise


def settled(connection: Connection, kind: str, artifact_id: int, moves: Moves) -> None:
    """Write down that the files of a run of one of `KINDS` have arrived."""
    (take_out if kind == TRASH else put_back)(connection, artifact_id, moves)


def put_back(connection: Connection, artifact_id: int, moves: Moves) -> None:
    """Write down that an artifact is held again, under its old ID and, unless somebody else has it, its old name."""
    for source, target in moves:
        _take_over(connection, artifact_id, target)
        back = {"path": target, "origin": None, "state": "present"}
        connection.execute(update(_AT).where(_AT.c.path == source).values(**back))
    row = connection.execute(select(_A).where(_A.c.id == artifact_id)).one()
    name = free_name(connection, row.name, row.kind)
    connection.execute(update(_A).where(_A.c.id == artifact_id).values(removed_at=None, name=name))
    reindex(connection, artifact_id)


def trashed(connection: Connection, root: Path) -> tuple[Trashed, ...]:
    """Everything in the trash, latest removal first."""
    held = select(_AT.c.artifact_id).where(_AT.c.state == "trashed")
    wanted = select(_A.c.id).where(_A.c.id.in_(held)).order_by(_A.c.removed_at.desc(), _A.c.id.desc())
    models = artifacts(connection, wanted, root)
    removals = connection.execute(select(_A.c.id, _A.c.removed_at).where(_A.c.id.in_(held)))
    when = {row.id: row.removed_at for row in removals}
    return tuple(_trashed(one, when[one.id]) for one in models)


def found(held: tuple[Trashed, ...], ref: str) -> Trashed:
    """The one that `ref` means: a catalog ID, or the name it had; raises `NotFound` or `AmbiguousRef`."""
    fitting = [one for one in held if ref in (str(one.artifact.id), one.artifact.name)]
    if not fitting:
        raise NotFound(f"the trash holds no model {ref!r}", mend="modelhub trash")
    if len(fitting) > 1:
        raise AmbiguousRef(ref, [f"{one.artifact.id} ({one.artifact.name})" for one in fitting])
    return fitting[0]


def return_moves(thing: Trashed, workspace: Workspace) -> Moves:
    """Where its files go back to; raises `Conflict` naming a file that stands there now."""
    moves = []
    for at in thing.artifact.locations:
        if at.state == "trashed":
            target = at.origin or _default_place(thing.artifact, at.path, workspace)
            if target.exists() or target.is_symlink():
                raise Conflict(
                    f"{target} stands where {thing.artifact.id} ({thing.artifact.name}) lay; it is left alone",
                    mend=f"mv {target} ELSEWHERE, then: modelhub trash restore {thing.artifact.id}",
                )
            moves.append((written_place(workspace.root, at.path), written_place(workspace.root, target)))
    return moves


def refuse_recorded(connection: Connection, moves: Moves) -> None:
    """Raise `Conflict` when the catalog knows another model at a place where a file would go."""
    places = [target for _, target in moves]
    held = select(_A.c.id, _A.c.name).join(_AT, _AT.c.artifact_id == _A.c.id).where(_AT.c.path.in_(places))
    for other in connection.execute(held):
        raise Conflict(
            f"{other.id} ({other.name}) is known to lie where its file would go back to", mend=f"modelhub rm {other.id}"
        )


def discard(connection: Connection, artifact_id: int) -> None:
    """Write down that the trashed files of an artifact are gone for good; its row stays for lineage."""
    gone = update(_AT).where(_AT.c.artifact_id == artifact_id, _AT.c.state == "trashed")
    connection.execute(gone.values(state="deleted"))


def _take_over(connection: Connection, artifact_id: int, place: str) -> None:
    """What a scan made of the file at `place` before it was said whose it is redirects to its owner."""
    other = connection.scalar(select(_AT.c.artifact_id).where(_AT.c.path == place))
    if other is not None:
        connection.execute(delete(_AT).where(_AT.c.path == place))
        if connection.scalar(select(_AT.c.id).where(_AT.c.artifact_id == other)) is None:
            redirected = update(_A).where(_A.c.id == other).values(removed_at=now(), merged_into=artifact_id)
            connection.execute(redirected)
            reindex(connection, other)


def _trashed(artifact: Artifact, removed_at: str | None) -> Trashed:
    files = tuple(at for at in artifact.locations if at.state == "trashed")
    when = datetime.fromisoformat(removed_at) if removed_at else artifact.added_at
    return Trashed(artifact, when, files)


def _default_place(artifact: Artifact, resting: Path, workspace: Workspace) -> Path:
    """For what was trashed before its place was remembered."""
    return workspace.models / artifact.facts.kind / resting.name.removeprefix(f"{artifact.id}-")
