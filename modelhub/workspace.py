"""Where things lie: a workspace holds `catalog.db`, and beside it `models/`, `outputs/` and `runs/`."""

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from modelhub.errors import NoWorkspace, OutOfResources

__all__ = [
    "CATALOG",
    "LOCK",
    "MANIFEST",
    "SETTINGS",
    "Workspace",
    "default_workspace",
    "disk_error",
    "find_workspace",
    "publish",
    "take_free_name",
]

CATALOG = "catalog.db"
SETTINGS = "modelhub.toml"
MANIFEST = "models.toml"
LOCK = "models.lock"


@dataclass(frozen=True, slots=True)
class Workspace:
    """One folder that a catalog rules."""

    root: Path

    @property
    def catalog(self) -> Path:
        return self.root / CATALOG

    @property
    def settings(self) -> Path:
        return self.root / SETTINGS

    @property
    def manifest(self) -> Path:
        """What the owner wants it to hold."""
        return self.root / MANIFEST

    @property
    def lock(self) -> Path:
        """What the manifest came to, to the byte."""
        return self.root / LOCK

    @property
    def models(self) -> Path:
        """What pulls and trainings bring, a folder per kind."""
        return self.root / "models"

    @property
    def outputs(self) -> Path:
        """Generated pictures."""
        return self.root / "outputs"

    @property
    def runs(self) -> Path:
        """A folder per training: recipe, resumable state, previews."""
        return self.root / "runs"

    @property
    def inputs(self) -> Path:
        """Pictures that others were drawn from, by their digests."""
        return self.root / "inputs"

    @property
    def cache(self) -> Path:
        """What can be computed again, keyed by content."""
        return self.root / "cache"

    @property
    def trash(self) -> Path:
        return self.root / "trash"

    @property
    def incoming(self) -> Path:
        """What is on its way from hubs, until it is whole; on the disk that it goes to."""
        return self.models / ".incoming"

    @property
    def quarantine(self) -> Path:
        """What came from hubs in a format that can run code, a folder per kind: `convert` makes it usable."""
        return self.root / "quarantine"

    def is_quarantined(self, path: Path) -> bool:
        return path.is_relative_to(self.quarantine)

    def owns(self, path: Path) -> bool:
        """Whether a file lies where the workspace puts things, so that removing its model removes it here too.

        A checkout of somebody's project can be a workspace: what else lies in it is theirs.
        """
        place = path.resolve()
        ours = (self.models, self.outputs, self.runs, self.quarantine)
        return any(place.is_relative_to(folder.resolve()) for folder in ours)

    def require_catalog(self) -> "Workspace":
        """Itself, or `NoWorkspace` when no catalog has been made here."""
        if not self.catalog.is_file():
            raise NoWorkspace(f"there is no catalog in {self.root}", mend="modelhub init")
        return self


def find_workspace(start: Path, *, home: Path | None, fallback: Path | None = None) -> Workspace:
    """The workspace that a command run in `start` means.

    `home` (a flag or ``MODELHUB_HOME``) decides when given; else the nearest folder upwards that holds a
    catalog, a `modelhub.toml` or a `models.toml`; else `fallback`; else the user's own workspace.
    """
    if home is not None:
        return _at(home)
    for folder in (start, *start.parents):
        if any((folder / name).is_file() for name in (CATALOG, SETTINGS, MANIFEST)):
            return Workspace(folder)
    return default_workspace() if fallback is None else _at(fallback)


def _at(root: Path) -> Workspace:
    return Workspace(Path(os.path.abspath(root.expanduser())))


def default_workspace() -> Workspace:
    """The one that serves wherever no nearer one is found."""
    import platformdirs  # costs more than the rest of this module, and is seldom asked

    return Workspace(platformdirs.user_data_path("modelhub"))


@contextmanager
def publish(path: Path, *, replace: bool = True) -> Iterator[Path]:
    """Write a file whole or not at all.

    Gives a path beside the final one; when the block ends well the file is flushed to the disk and takes the
    final name at once. What stood there is replaced, or with `replace=False` kept and `FileExistsError` raised.
    A full disk becomes `OutOfResources`, and nothing is left.
    """
    part = _beside(path)
    try:
        yield part
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.chmod(0o644)
        if replace:
            part.replace(path)
        else:
            take_free_name(part, path)
    except FileExistsError:
        raise
    except OSError as error:
        raise disk_error(error, path) from error
    finally:
        part.unlink(missing_ok=True)


_SHOWN = 40
"""Characters of a name that its part's name begins with, so that it is not too long."""


def _beside(path: Path) -> Path:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name[:_SHOWN]}.", suffix=".part", dir=path.parent)
    except OSError as error:
        raise disk_error(error, path) from error
    os.close(handle)
    return Path(name)


def take_free_name(part: Path, path: Path) -> None:
    """Give a whole file its final name as well, at once; raises `FileExistsError` rather than replace what has it."""
    try:
        os.link(part, path)
    except FileExistsError:
        raise
    except OSError as error:  # a file system without hard links
        if path.exists():
            raise FileExistsError(path) from error
        part.rename(path)


def disk_error(error: OSError, path: Path) -> Exception:
    """`OutOfResources` when writing `path` failed for want of space, else the error itself."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return OutOfResources(
            f"the disk is full: {path} was not written", mend=f"free space first: df -h {path.parent}"
        )
    return error
