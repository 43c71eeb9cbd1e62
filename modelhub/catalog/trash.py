"""`Trash`: what was removed and can come back."""

from sqlalchemy import Connection

from modelhub.catalog import checking, runs, trashing
from modelhub.catalog.database import Database
from modelhub.catalog.moving import remove
from modelhub.catalog.nouns import Removal, Trashed
from modelhub.catalog.places import read_place
from modelhub.catalog.removing import Moves, resting_places
from modelhub.workspace import Workspace

__all__ = ["Trash"]


class Trash:
    """The trash of a catalog's workspace: `Catalog.trash`.

    Every move into it or out of it is written down as a run before it begins, so that whoever is killed on the way
    is finished by the next command.
    """

    def __init__(self, workspace: Workspace, database: Database) -> None:
        self._workspace = workspace
        self._database = database
        self._root = database.root

    def list(self) -> tuple[Trashed, ...]:
        """What lies in it, latest removal first."""
        with self._database.reading() as connection:
            return trashing.trashed(connection, self._root)

    def find(self, ref: str) -> Trashed:
        """What `ref`, an ID or an old name, means in the trash; raises `NotFound` or `AmbiguousRef`."""
        return trashing.found(self.list(), ref)

    def put(self, removal: Removal) -> None:
        """Take an artifact out of the catalog and move its own files here; the others stay where they are."""
        with self._database.writing() as connection:
            moves = resting_places(connection, removal, self._workspace)
            run_id = self._intend(connection, trashing.TRASH, removal.artifact.id, moves)
        self.finish(run_id)

    def restore(self, ref: str) -> int:
        """Bring an artifact (by its ID or old name) back to where its files lay; returns its ID.

        Raises `NotFound`, `AmbiguousRef`, and `Conflict` when another file stands there now, or is known to.
        """
        thing = self.find(ref)
        moves = trashing.return_moves(thing, self._workspace)
        with self._database.writing() as connection:
            trashing.refuse_recorded(connection, moves)
            run_id = self._intend(connection, trashing.RESTORE, thing.artifact.id, moves)
        self.finish(run_id)
        with self._database.writing() as connection:
            for _, place in moves:
                checking.refresh(connection, place, read_place(self._root, place))
        return thing.artifact.id

    def discard(self, thing: Trashed) -> None:
        """Delete the files of an artifact for good; what it was stays known."""
        for at in thing.files:
            remove(at.path)
        with self._database.writing() as connection:
            trashing.discard(connection, thing.artifact.id)

    def finish(self, run_id: int) -> None:
        """Move what a run has written down that it would move; when that fails, all is as it was before."""
        with self._database.reading() as connection:
            run = runs.one_run(connection, run_id, self._root)
        artifact_id, moves = trashing.moves_of(run.payload)
        try:
            trashing.carry(self._root, moves)
        except OSError:
            with self._database.writing() as connection:
                runs.forget(connection, run_id)
            raise
        with self._database.writing() as connection:
            trashing.settled(connection, run.kind, artifact_id, moves)
            runs.forget(connection, run_id)

    def _intend(self, connection: Connection, kind: str, artifact_id: int, moves: Moves) -> int:
        return runs.begin(connection, kind, trashing.intent(artifact_id, moves), ())
