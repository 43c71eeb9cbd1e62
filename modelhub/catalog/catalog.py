"""`Catalog`: each method is one transaction, and gives out values that nothing changes behind your back."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlalchemy import delete, insert, select

from modelhub.catalog import (
    accounts,
    adding,
    bringing,
    checking,
    labels,
    listing,
    pictures,
    removing,
    resolving,
    runs,
    saying,
    scanned,
    tables,
    trashing,
)
from modelhub.catalog.adding import Registered, Wish
from modelhub.catalog.database import Database
from modelhub.catalog.moving import remove
from modelhub.catalog.nouns import (
    Account,
    Base,
    Check,
    Hit,
    Image,
    Lineage,
    Query,
    Removal,
    Run,
    Trashed,
    Uses,
)
from modelhub.catalog.places import written_place
from modelhub.catalog.rows import artifacts, now, reindex, selected, versioned
from modelhub.catalog.scanned import KnownRow, Root
from modelhub.digests import Hashed, file_digests
from modelhub.fingerprint import Fingerprint, fingerprint
from modelhub.kinds import Artifact, Facts, Kind
from modelhub.refs import ModelRef
from modelhub.workspace import Workspace

__all__ = ["Catalog"]

_ALL = Query()
_NEWEST_RUNS = 20
"""Runs and pictures in an account."""


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
        if not catalog._database.is_read_only:
            catalog._settle_abandoned()
        return catalog

    def _settle_abandoned(self) -> None:
        """Runs that a dead process left: files on their way into the trash or out of it arrive, the others end."""
        with self._database.reading() as connection:
            abandoned = runs.abandoned(connection)
        for run_id, kind in abandoned:
            if kind in trashing.KINDS:
                with suppress(OSError):  # what cannot be moved now stays written down
                    self._carry(run_id)
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
        return self.artifact(self.register(path, name=name, tags=tags, facts=facts).id)

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
            self.register(artifact.path, again=True)
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
            moves = removing.resting_places(connection, removal, self.workspace)
            run_id = runs.begin(connection, trashing.TRASH, trashing.intent(artifact_id, moves), ())
        self._carry(run_id)
        return removal

    def trashed(self) -> tuple[Trashed, ...]:
        """What lies in the trash, latest removal first."""
        with self._database.reading() as connection:
            return trashing.trashed(connection, self._root)

    def find_trashed(self, ref: str) -> Trashed:
        """What `ref`, an ID or an old name, means in the trash; raises `NotFound` or `AmbiguousRef`."""
        return trashing.found(self.trashed(), ref)

    def restore(self, ref: str) -> Artifact:
        """Bring a trashed artifact (by its ID or old name) back to where its files lay.

        Raises `NotFound`, `AmbiguousRef`, and `Conflict` when another file stands there now, or is known to.
        """
        thing = self.find_trashed(ref)
        moves = trashing.return_moves(thing, self.workspace)
        with self._database.writing() as connection:
            trashing.refuse_recorded(connection, moves)
            run_id = runs.begin(connection, trashing.RESTORE, trashing.intent(thing.artifact.id, moves), ())
        self._carry(run_id)
        for at in self.artifact(thing.artifact.id).locations:
            self.note_file(at.path)
        return self.artifact(thing.artifact.id)

    def discard(self, thing: Trashed) -> None:
        """Delete the files of a trashed artifact for good; what it was stays known."""
        for at in thing.files:
            remove(at.path)
        with self._database.writing() as connection:
            trashing.discard(connection, thing.artifact.id)

    def _carry(self, run_id: int) -> None:
        """Move what a run has written down that it would move; when that fails, all is as it was before."""
        run = self.run(run_id)
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

    # Files

    def register(
        self,
        path: Path,
        *,
        name: str | None = None,
        tags: Sequence[str] = (),
        facts: Facts | None = None,
        siblings: Collection[str] | None = None,
        again: bool = False,
        searched: bool = False,
    ) -> Registered:
        """`add` for many: tells only what became of the file. `again` reads it though it looks as it did.

        `siblings` are the names in its folder, if they are known. A file that was `searched` for in a folder, not
        named, raises `NoModel` when it is none.
        """
        return adding.put(self._database, path, Wish(name, tags, facts, siblings, again, searched))

    def known_rows(self) -> Sequence[KnownRow]:
        """Every file that is present or missing, as it was when it was last looked at."""
        with self._database.reading() as connection:
            return scanned.known_rows(connection, self._root)

    def relocate(self, was: Path, path: Path, seen: Fingerprint) -> bool:
        """Write down that a file moved; its artifact stays. False when `path` has been written down meanwhile."""
        with self._database.writing() as connection:
            return scanned.relocate(connection, self._root, was, path, seen)

    def mark_missing(self, paths: Collection[str]) -> None:
        """Write down that files are not where they were; nothing is forgotten."""
        with self._database.writing() as connection:
            scanned.mark_missing(connection, self._root, paths)

    def note_file_keys(self, keys: Mapping[str, str]) -> None:
        """Path -> device and inode, which change when a disk is mounted anew."""
        with self._database.writing() as connection:
            scanned.note_keys(connection, self._root, keys)

    def unhashed(self) -> Mapping[Path, Kind]:
        """A present file of each artifact that has no sha256 yet, smallest first, and what it is."""
        with self._database.reading() as connection:
            return scanned.unhashed(connection, self._root)

    def note_digests(self, path: Path, seen: Fingerprint, digests: Mapping[str, str]) -> bool:
        """Keep the digests of a file that was as `seen`; False when the catalog knows it otherwise by now."""
        with self._database.writing() as connection:
            return scanned.note_digests(connection, self._root, path, seen, digests)

    def roots(self) -> tuple[Root, ...]:
        """The folders that a scan of everything looks through, beside the workspace's own `models/`."""
        with self._database.reading() as connection:
            return scanned.roots(connection, self._root)

    def remember_root(self, path: Path, *, scanned_now: bool = False) -> None:
        """Look through this folder in every scan of everything."""
        with self._database.writing() as connection:
            scanned.remember_root(connection, self._root, path, scanned=scanned_now)

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
                sources=accounts.heard(connection, artifact.id),
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

    def note_check(self, check: Check, read: Hashed | None = None) -> None:
        """Write down what checking a file showed, and as what it was `read`, if it was."""
        with self._database.writing() as connection:
            checking.note(connection, written_place(self._root, check.path), check, read)

    def note_file(self, path: Path) -> None:
        """Write down where on the disk a file lies now, and its time: its bytes are the same."""
        with self._database.writing() as connection:
            checking.refresh(connection, written_place(self._root, path), path)

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
            return pictures.record(connection, {**row, "path": place})

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

    def search_images(self, words: str, *, limit: int = 50) -> tuple[Image, ...]:
        """The newest pictures whose infotext holds every word (or part of one), however short."""
        with self._database.reading() as connection:
            return pictures.pictures(connection, pictures.matching(connection, words, limit), self._root)

    def image_at(self, path: Path) -> Image | None:
        """The picture recorded at `path`, if there is one."""
        with self._database.reading() as connection:
            return next(iter(pictures.pictures(connection, pictures.with_path(self._root, path), self._root)), None)

    def image_with(self, sha256: str) -> Image | None:
        """The newest picture of these bytes, wherever it lay."""
        with self._database.reading() as connection:
            return next(iter(pictures.pictures(connection, pictures.with_digest(sha256), self._root)), None)

    def uses(self, artifact_id: int, *, newest: int = 5) -> Uses:
        """What was drawn and trained with an artifact: a count, the newest pictures, and what learned on it."""
        with self._database.reading() as connection:
            return pictures.uses_of(connection, artifact_id, newest, self._root)
