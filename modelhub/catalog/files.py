"""`Files`: where artifacts lie, as scans and checks find it."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from modelhub.catalog import adding, checking, scanned
from modelhub.catalog.adding import Registered, Wish
from modelhub.catalog.database import Database
from modelhub.catalog.nouns import Check
from modelhub.catalog.places import written_place
from modelhub.catalog.scanned import KnownRow, Root
from modelhub.digests import Hashed
from modelhub.fingerprint import Fingerprint
from modelhub.kinds import Facts, Kind

__all__ = ["Files"]


class Files:
    """The files of a catalog's artifacts: `Catalog.files`. Each method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._root = database.root

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

    def note_keys(self, keys: Mapping[str, str]) -> None:
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

    def note_check(self, check: Check, read: Hashed | None = None) -> None:
        """Write down what checking a file showed, and as what it was `read`, if it was."""
        with self._database.writing() as connection:
            checking.note(connection, written_place(self._root, check.path), check, read)

    def refresh(self, path: Path) -> None:
        """Write down where on the disk a file lies now, and its time: its bytes are the same."""
        with self._database.writing() as connection:
            checking.refresh(connection, written_place(self._root, path), path)
