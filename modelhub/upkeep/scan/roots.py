"""Which folders a scan looks through, and which of them are remembered."""

import os
from collections.abc import Sequence
from pathlib import Path

from modelhub.catalog import Catalog, KnownRow
from modelhub.errors import BadValue, MissingFile, ModelHubError
from modelhub.upkeep.scan.facing import Scene, is_below

__all__ = ["note_scanned", "remember", "starting_points"]


def starting_points(catalog: Catalog, roots: Sequence[Path], known: Sequence[KnownRow]) -> list[str]:
    """The folders to look through, as absolute paths: `roots`, or all that are remembered and our own.

    Raises `MissingFile` or `BadValue` for what is no folder and never was one.
    """
    remembered = [str(root.path) for root in catalog.files.roots()]
    for root, path in ((root, os.path.abspath(root)) for root in roots):
        if not root.is_dir() and path not in remembered and not any(is_below(one[0], path) for one in known):
            raise _no_folder(root)
    for ours in (catalog.workspace.models, catalog.workspace.quarantine):
        if not roots and (ours.is_dir() or any(is_below(one[0], str(ours)) for one in known)):
            remembered.append(str(ours))
    return list(dict.fromkeys([os.path.abspath(root) for root in roots] or remembered))


def _no_folder(path: Path) -> ModelHubError:
    if path.exists():
        return BadValue(f"{path} is a file, and scan looks through folders", mend=f"modelhub add {path}")
    return MissingFile(f"{path}: there is no such folder")


def remember(catalog: Catalog, roots: Sequence[Path]) -> None:
    """Keep those that no scan of everything would look through."""
    for root in roots:
        space = catalog.workspace
        looked_through = [space.models, space.quarantine, *(one.path for one in catalog.files.roots())]
        if not any(is_below(os.path.abspath(root), str(each)) for each in looked_through):
            catalog.files.remember_root(root)


def note_scanned(catalog: Catalog, starts: Sequence[str], scene: Scene) -> None:
    """Write down that the roots among `starts` were looked through, unless they were out of reach."""
    lost = {str(one.path) for one in scene.unreachable}
    for root in catalog.files.roots():
        if str(root.path) in starts and str(root.path) not in lost:
            catalog.files.remember_root(root.path, scanned_now=True)
