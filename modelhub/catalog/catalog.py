"""`Catalog`: each method is one transaction, and gives out values that nothing changes behind your back."""

from collections.abc import Collection, Iterator, Mapping, MutableSequence, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlalchemy import delete, select

from modelhub.catalog import (
    accounts,
    bringing,
    labels,
    listing,
    pictures,
    removing,
    resolving,
    runs,
    saying,
    sources,
    tables,
    trashing,
)
from modelhub.catalog.database import Database
from modelhub.catalog.files import Files
from modelhub.catalog.nouns import (
    Account,
    Base,
    Hit,
    Lineage,
    Query,
    Removal,
    Run,
)
from modelhub.catalog.pictures import Pictures
from modelhub.catalog.places import written_place
from modelhub.catalog.rows import artifacts, reindex, selected
from modelhub.catalog.sources import Sources
from modelhub.catalog.trash import Trash
from modelhub.digests import file_digests
from modelhub.errors import NameTaken, UnknownRef
from modelhub.fingerprint import fingerprint
from modelhub.kinds import Artifact, Facts, Kind
from modelhub.refs import ModelRef, check_name
from modelhub.workspace import Workspace

__all__ = ["Catalog"]

_ALL = Query()
_NEWEST_RUNS = 20
"""Runs and pictures in an account."""


class Catalog:
    """All artifacts, sources and runs of one workspace. Use `open` or `create`, as a context manager."""

    def __init__(self, workspace: Workspace, database: Database) -> None:
        self.workspace = workspace
        self.files = Files(database)
        """Where artifacts lie, as scans and checks find it."""
        self.pictures = Pictures(database)
        """What runs drew."""
        self.sources = Sources(database)
        """What hubs say of what we hold."""
        self.trash = Trash(workspace, database)
        """What was removed and can come back."""
        self._database = database
        self._root = database.root

    @classmethod
    def open(cls, workspace: Workspace) -> Self:
        """The catalog that is there; raises `NoWorkspace`. Runs that a dead process left become interrupted."""
        return cls._opened(workspace.require_catalog())

    @classmethod
    def create(cls, workspace: Workspace) -> Self:
        """The catalog that is there, or a new one with its folder."""
        workspace.root.mkdir(parents=True, exist_ok=True)
        return cls._opened(workspace)

    @classmethod
    def _opened(cls, workspace: Workspace) -> Self:
        catalog = cls(workspace, Database(workspace.catalog))
        if not catalog._database.is_read_only:
            catalog._settle_abandoned()
        return catalog

    def _settle_abandoned(self) -> None:
        """Runs that a dead process left: files on their way into the trash or out of it arrive, the others end."""
        with self._database.reading() as connection:
            abandoned = runs.abandoned(connection)
        for run_id, kind in abandoned:
            if kind in trashing.KINDS:
                with suppress(OSError):  # what cannot be moved is back where it was
                    self.trash.finish(run_id)
            else:
                self.finish_run(run_id, state="interrupted", error="its process ended before the run did")

    def close(self) -> None:
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # Artifacts

    def add(
        self, path: Path, *, name: str | None = None, tags: Sequence[str] = (), facts: Facts | None = None
    ) -> Artifact:
        """Register the file at `path` where it lies, identified from its own header unless `facts` are given.

        The same path again gives the same artifact, refreshed; a byte-identical copy becomes a second location.
        Raises `MissingFile`, `UnsafeFile`, `BrokenFile`, and for `name` `BadValue` or `NameTaken`.
        """
        return self.artifact(self.files.register(path, name=name, tags=tags, facts=facts).id)

    def bring(self, path: Path, *, move: bool, name: str | None = None, tags: Sequence[str] = ()) -> Artifact:
        """`add`, after copying (or moving) the file into the workspace's `models/<kind>/`."""
        with bringing.brought(path, self.workspace, move=move) as target:
            artifact = self.add(target, name=name, tags=tags)
        if move and not path.exists():
            self._forget_place(path)
        return self.artifact(artifact.id)

    def artifact(self, artifact_id: int) -> Artifact:
        """The artifact of that ID; raises `UnknownRef`."""
        return self.resolve(str(artifact_id))

    def resolve(self, ref: str | ModelRef, *, kinds: Collection[Kind] | None = None) -> Artifact:
        """What `ref` means: an ID, name, alias, digest, path or hub address; of one of `kinds`, when given.

        Raises `UnknownRef` naming the nearest (or, for a digest, how many files have none yet), `AmbiguousRef`
        naming all, `Incompatible` for a model of another kind.
        """
        parsed = ModelRef.parse(ref) if isinstance(ref, str) else ref
        found = resolving.candidates(self._database, parsed)
        if not found:
            raise resolving.unknown(self._database, parsed)
        return resolving.chosen(parsed, found, kinds)

    def list(self, query: Query = _ALL) -> tuple[Artifact, ...]:
        """The artifacts that `query` asks for, newest first."""
        with self._database.reading() as connection:
            return artifacts(connection, listing.matching(connection, query), self._root)

    def count(self, query: Query = _ALL) -> int:
        """How many artifacts `query` would list without its limit."""
        with self._database.reading() as connection:
            return connection.scalar(listing.counted(connection, query)) or 0

    def free_place(self, name: str, kind: Kind) -> Path:
        """The file of a model that is to be made and called `name`.

        Raises `NameTaken` before any work is done for nothing.
        """
        path = self.workspace.models / kind / f"{check_name(name)}.safetensors"
        try:
            holder = f"catalog ID {self.resolve(name).id}"
        except UnknownRef:
            holder = str(path) if path.exists() else ""
        if holder:
            raise NameTaken(f"the name {name!r} is taken by {holder}", mend="choose another with --name")
        return path

    def rename(self, artifact_id: int, name: str) -> Artifact:
        """Give an artifact another name; its file stays. Raises `BadValue` or `NameTaken`."""
        with self._database.writing() as connection:
            labels.set_name(connection, artifact_id, name)
            reindex(connection, artifact_id)
        return self.artifact(artifact_id)

    def tag(self, artifact_id: int, *tags: str) -> Artifact:
        """Add tags."""
        with self._database.writing() as connection:
            labels.record_tags(connection, artifact_id, tags)
            reindex(connection, artifact_id)
        return self.artifact(artifact_id)

    def untag(self, artifact_id: int, *tags: str) -> Artifact:
        """Take tags away."""
        with self._database.writing() as connection:
            labels.drop_tags(connection, artifact_id, tags)
            reindex(connection, artifact_id)
        return self.artifact(artifact_id)

    def set_note(self, artifact_id: int, note: str) -> Artifact:
        """Write the owner's own words to an artifact; an empty note clears it."""
        with self._database.writing() as connection:
            labels.record_note(connection, artifact_id, note)
            reindex(connection, artifact_id)
        return self.artifact(artifact_id)

    def set_weight(self, artifact_id: int, weight: float | None) -> Artifact:
        """Note how strongly an artifact is best used; None takes it back."""
        with self._database.writing() as connection:
            labels.record_weight(connection, artifact_id, weight)
        return self.artifact(artifact_id)

    def say(self, artifact_id: int, said: Mapping[str, Any]) -> Artifact:
        """Believe the owner: `said` holds fields of `Facts`, None for a word taken back.

        Where an earlier word hides what the file says, it is asked again; raises `MissingFile`.
        """
        artifact = self.artifact(artifact_id)
        again = saying.must_be_read(artifact.facts, said)
        if again:
            fingerprint(artifact.path)
        with self._database.writing() as connection:
            labels.record_facts(connection, artifact_id, saying.facts_as_said(artifact.facts, said))
            reindex(connection, artifact_id)
        if again:
            self.files.register(artifact.path, again=True)
        return self.artifact(artifact_id)

    def names(self, artifact_ids: Collection[int]) -> Mapping[int, str]:
        """What artifacts are called, or were called when they were removed."""
        table = tables.artifact.c
        with self._database.reading() as connection:
            rows = connection.execute(select(table.id, table.name).where(selected(table.id, artifact_ids)))
            return {row.id: row.name for row in rows}

    def removal(self, artifact_id: int) -> Removal:
        """What `remove` would do."""
        return removing.planned(self.artifact(artifact_id), self.workspace)

    def remove(self, artifact_id: int) -> Removal:
        """Forget an artifact. Files inside the workspace go to its trash, others stay where they are."""
        removal = self.removal(artifact_id)
        self.trash.put(removal)
        return removal

    # Words

    def account(self, artifact_id: int) -> Account:
        """All that is known of an artifact without reading its file; raises `UnknownRef`."""
        artifact = self.artifact(artifact_id)
        with self._database.reading() as connection:
            training = accounts.training_of(connection, artifact.id)
            return Account(
                artifact=artifact,
                words=accounts.words_of(connection, artifact.id),
                training=training,
                base=accounts.base_of(connection, training, self._root),
                derived=accounts.derived_from(connection, artifact, self._root),
                sources=sources.heard(connection, artifact.id),
                lineage=runs.lineage_of(connection, artifact.id, self._root, newest=_NEWEST_RUNS),
                uses=pictures.uses_of(connection, artifact.id, _NEWEST_RUNS, self._root),
            )

    def held(self, artifact_ids: Collection[int]) -> frozenset[int]:
        """Those of the catalog IDs whose artifacts are still there."""
        table = tables.artifact.c
        wanted = select(table.id).where(table.removed_at.is_(None), selected(table.id, artifact_ids))
        with self._database.reading() as connection:
            return frozenset(connection.scalars(wanted))

    def base_of(self, artifact: Artifact) -> Base | None:
        """The artifact that its header says it was trained on, if we hold it."""
        with self._database.reading() as connection:
            return accounts.base_of(connection, accounts.training_of(connection, artifact.id), self._root)

    def derived_from(self, artifact: Artifact) -> tuple[Artifact, ...]:
        """What was trained on it, as far as the headers of others name its digest; newest first."""
        with self._database.reading() as connection:
            return accounts.derived_from(connection, artifact, self._root)

    # Bytes

    def sha256(self, artifact: Artifact) -> str:
        """The digest of an artifact's bytes, computed when first asked for and kept."""
        known = artifact.digests.get("sha256") or self.artifact(artifact.id).digests.get("sha256")
        if known:
            return known
        digests = file_digests(artifact.path)
        self._record(artifact.id, digests)
        return digests["sha256"]

    def _forget_place(self, path: Path) -> None:
        with self._database.writing() as connection:
            here = tables.location.c.path == written_place(self._root, path)
            connection.execute(delete(tables.location).where(here))

    def _record(self, artifact_id: int, digests: Mapping[str, str]) -> None:
        with self._database.writing() as connection:
            labels.record_digests(connection, artifact_id, digests)

    # Runs

    def begin_run(self, kind: str, payload: Mapping[str, Any], inputs: Sequence[tuple[str, int]] = ()) -> int:
        """Write down that this process begins to ``train`` or ``generate``; `inputs` are (role, catalog ID)."""
        with self._database.writing() as connection:
            return runs.begin(connection, kind, payload, inputs)

    @contextmanager
    def recorded(
        self, kind: str, payload: Mapping[str, Any], inputs: Sequence[tuple[str, int]] = ()
    ) -> Iterator[MutableSequence[int]]:
        """A run around some work: give the list the catalog IDs of what it makes.

        However the block is left, the run says so: done, failed with the error, or interrupted.
        """
        run_id = self.begin_run(kind, payload, inputs)
        made: MutableSequence[int] = []
        state, wrong = "interrupted", None
        try:
            yield made
            state = "done"
        except Exception as error:
            state, wrong = "failed", str(error)
            raise
        finally:
            self.finish_run(run_id, state=state, outputs=made, error=wrong)

    def resume_run(self, run_id: int) -> None:
        """Write down that this process goes on with a run that had ended early."""
        with self._database.writing() as connection:
            runs.resume(connection, run_id)

    def finish_run(
        self, run_id: int, *, state: str = "done", outputs: Sequence[int] = (), error: str | None = None
    ) -> None:
        """Write down how it ended: ``done``, ``failed`` or ``interrupted``, and the catalog IDs it made."""
        with self._database.writing() as connection:
            runs.finish(connection, run_id, state, outputs, error)

    def note_inputs(self, run_id: int, inputs: Sequence[tuple[str, int]]) -> None:
        """Write down what a run that goes on uses besides: (role, catalog ID)."""
        with self._database.writing() as connection:
            runs.add_inputs(connection, run_id, inputs)

    def note_outputs(self, run_id: int, outputs: Sequence[int]) -> None:
        """Write down what a run that goes on has made already."""
        with self._database.writing() as connection:
            runs.made(connection, run_id, outputs)

    def run(self, run_id: int) -> Run:
        """One run with all that it used and made; raises `NotFound`."""
        with self._database.reading() as connection:
            return runs.one_run(connection, run_id, self._root)

    def last_run(self, kind: str) -> Run | None:
        """The newest run of that kind, if there is any."""
        with self._database.reading() as connection:
            return runs.latest(connection, kind, self._root)

    def made_by(self, artifact_id: int) -> Run | None:
        """The run that made an artifact."""
        with self._database.reading() as connection:
            return runs.maker_of(connection, artifact_id, self._root)

    def made(self, kind: str) -> frozenset[int]:
        """Catalog IDs of all that runs of that kind have made."""
        with self._database.reading() as connection:
            return runs.products(connection, kind)

    def lineage(self, artifact_id: int) -> Lineage:
        """The run that made an artifact, and the runs that used it."""
        with self._database.reading() as connection:
            return runs.lineage_of(connection, artifact_id, self._root)

    def tidy(self) -> int:
        """Let the database optimise its indexes and empty its log; returns how many bytes it gave back."""
        return self._database.tidy()

    # Search

    def search(self, query: Query) -> tuple[Hit, ...]:
        """What `list` finds, each with the places where the words stand."""
        return tuple(Hit(one, listing.places_of(one, query.text)) for one in self.list(query))

    def find_digest(self, prefix: str) -> tuple[int, ...]:
        """Catalog IDs of what is held and has a digest beginning so, lowest first."""
        with self._database.reading() as connection:
            return tuple(connection.scalars(listing.held_with_digest(prefix)))
