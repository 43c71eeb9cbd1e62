"""`Catalog`: each method is one transaction, and gives out values that nothing changes behind your back."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlalchemy import delete, insert, select, update

from modelhub.catalog import adding, bringing, labels, listing, removing, resolving, runs, tables, verifying
from modelhub.catalog.database import Database
from modelhub.catalog.nouns import Check, Lineage, Query, Removal, Run, Verdict
from modelhub.catalog.places import written_place
from modelhub.catalog.rows import artifacts, now, reindex, selected, versioned
from modelhub.digests import file_digests
from modelhub.jobs import Cancel, Done, Job
from modelhub.kinds import Artifact, Facts, Kind
from modelhub.refs import ModelRef, RefForm
from modelhub.workspace import Workspace

__all__ = ["Catalog"]

_ALL = Query()


class Catalog:
    """All artifacts, sources and runs of one workspace. Use `open` or `create`, as a context manager."""

    def __init__(self, workspace: Workspace, database: Database) -> None:
        self.workspace = workspace
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
        with catalog._database.reading() as connection:
            abandoned = runs.abandoned(connection)
        for run_id in () if catalog._database.is_read_only else abandoned:
            catalog.finish_run(run_id, state="interrupted", error="its process ended before the run did")
        return catalog

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
        return self.artifact(adding.put(self._database, path, name=name, tags=tags, facts=facts))

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

        A digest that nothing has makes the catalog hash what it has not hashed yet. Raises `UnknownRef`
        naming the nearest, `AmbiguousRef` naming all, `Incompatible` for a model of another kind.
        """
        parsed = ModelRef.parse(ref) if isinstance(ref, str) else ref
        found = resolving.candidates(self._database, parsed)
        if not found and parsed.form is RefForm.DIGEST and self._hash_the_rest():
            found = resolving.candidates(self._database, parsed)
        if not found:
            raise resolving.unknown(self._database, parsed)
        return resolving.chosen(parsed, found, kinds)

    def list(self, query: Query = _ALL) -> tuple[Artifact, ...]:
        """The artifacts that `query` asks for, newest first."""
        with self._database.reading() as connection:
            return artifacts(connection, listing.matching(query), self._root)

    def count(self, query: Query = _ALL) -> int:
        """How many artifacts `query` would list without its limit."""
        with self._database.reading() as connection:
            return connection.scalar(listing.counted(query)) or 0

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

    def names(self, artifact_ids: Collection[int]) -> Mapping[int, str]:
        """What artifacts are called, or were called when they were removed."""
        table = tables.artifact.c
        with self._database.reading() as connection:
            rows = connection.execute(select(table.id, table.name).where(selected(table.id, artifact_ids)))
            return {row.id: row.name for row in rows}

    def note_source(self, artifact_id: int, ref: str, said: Mapping[str, Any]) -> None:
        """Write down that a hub offers this artifact under `ref`, and what it said of it."""
        row = {"artifact_id": artifact_id, "ref": ref, "said": versioned(said), "seen_at": now()}
        with self._database.writing() as connection:
            connection.execute(insert(tables.source).prefix_with("OR REPLACE").values(**row))

    def removal(self, artifact_id: int) -> Removal:
        """What `remove` would do."""
        return removing.planned(self.artifact(artifact_id), self.workspace)

    def remove(self, artifact_id: int) -> Removal:
        """Forget an artifact. Files inside the workspace go to its trash, others stay where they are."""
        removal = self.removal(artifact_id)
        with self._database.writing() as connection:
            removing.take_out(connection, removal, self.workspace)
        return removal

    # Bytes

    def sha256(self, artifact: Artifact) -> str:
        """The digest of an artifact's bytes, computed when first asked for and kept."""
        known = artifact.digests.get("sha256") or self.artifact(artifact.id).digests.get("sha256")
        if known:
            return known
        digests = file_digests(artifact.path)
        self._record(artifact.id, digests)
        return digests["sha256"]

    def verify(
        self, wanted: Sequence[Artifact] | None = None, *, cancel: Cancel | None = None
    ) -> Job[tuple[Check, ...]]:
        """Read every file of `wanted` (of all) again; what has no digest yet gets one, what is missing is marked."""
        checks = []
        for artifact in self.list() if wanted is None else wanted:
            for at in artifact.locations:
                current = self.artifact(artifact.id)  # an earlier location may have recorded the digests
                for event in verifying.check_file(current, at, cancel):
                    if isinstance(event, Done):
                        check, digests = event.result
                        self._note_check(check, digests)
                        checks.append(check)
                    else:
                        yield event
        yield Done(tuple(checks))

    def _note_check(self, check: Check, digests: Mapping[str, str]) -> None:
        at = tables.location
        state = "missing" if check.verdict is Verdict.MISSING else "present"
        here = at.c.path == written_place(self._root, check.path)
        with self._database.writing() as connection:
            connection.execute(update(at).where(here).values(state=state))
            if check.verdict is Verdict.RECORDED:
                labels.record_digests(connection, check.artifact.id, digests)

    def _forget_place(self, path: Path) -> None:
        with self._database.writing() as connection:
            here = tables.location.c.path == written_place(self._root, path)
            connection.execute(delete(tables.location).where(here))

    def _hash_the_rest(self) -> bool:
        """Hash what has no digest and can be read; whether there was anything."""
        lacking = [one for one in self.list() if not one.digests and one.path.is_file()]
        for artifact in lacking:
            self.sha256(artifact)
        return bool(lacking)

    def _record(self, artifact_id: int, digests: Mapping[str, str]) -> None:
        with self._database.writing() as connection:
            labels.record_digests(connection, artifact_id, digests)

    # Runs

    def begin_run(self, kind: str, payload: Mapping[str, Any], inputs: Sequence[tuple[str, int]] = ()) -> int:
        """Write down that this process begins to ``train`` or ``generate``; `inputs` are (role, catalog ID)."""
        with self._database.writing() as connection:
            return runs.begin(connection, kind, payload, inputs)

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

    def record_image(self, run_id: int, path: Path, *, sha256: str, width: int, height: int, infotext: str) -> int:
        """Write down a picture that a run drew; returns its number."""
        row = {"run_id": run_id, "sha256": sha256, "width": width, "height": height, "infotext": infotext}
        place = written_place(self._root, path)
        with self._database.writing() as connection:
            return runs.record_image(connection, {**row, "path": place})

    def run(self, run_id: int) -> Run:
        """One run with all that it used and made; raises `NotFound`."""
        with self._database.reading() as connection:
            return runs.one_run(connection, run_id, self._root)

    def last_run(self, kind: str) -> Run | None:
        """The newest run of that kind, if there is any."""
        with self._database.reading() as connection:
            return runs.latest(connection, kind, self._root)

    def lineage(self, artifact_id: int) -> Lineage:
        """The run that made an artifact, and the runs that used it."""
        with self._database.reading() as connection:
            return runs.lineage_of(connection, artifact_id, self._root)
