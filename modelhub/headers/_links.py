"""Links out of a model's folder: into the store of a HuggingFace cache they are how it is made, elsewhere a trap."""

import re
from pathlib import Path

__all__ = ["leads_out"]

_DIGEST = re.compile(r"[0-9a-f]{32,64}")


def leads_out(place: Path, folder: Path) -> str | None:
    """Why `place`, which lies in `folder`, is not taken; None when it is no link, stays inside or is a cache's."""
    if not place.is_symlink():
        return None
    target = place.resolve()
    if target.is_relative_to(folder.resolve()) or _is_stored(target, folder):
        return None
    return f"is a link out of the folder, to {target}"


def _is_stored(target: Path, folder: Path) -> bool:
    """In ``models--owner--name/snapshots/<commit>/`` every file is a link into ``blobs``, the repository's or all's."""
    stores = {
        store.resolve()
        for parent in folder.absolute().parents
        if parent.name == "snapshots"
        for store in (parent.parent / "blobs", parent.parent.parent / "blobs")
    }
    return bool(_DIGEST.fullmatch(target.name)) and not stores.isdisjoint(target.parents)
