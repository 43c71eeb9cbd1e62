"""ComfyUI's `extra_model_paths.yaml`: the folders that hold our models, by what it calls each kind."""

import hashlib
import os
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from modelhub.catalog import Catalog
from modelhub.errors import Conflict
from modelhub.kinds import Artifact
from modelhub.upkeep.export.layouts import folder_for
from modelhub.upkeep.export.showing import is_folder
from modelhub.upkeep.quarantine import usable
from modelhub.workspace import publish

__all__ = ["FILE", "ModelPaths", "model_paths", "paths_yaml", "write_model_paths"]

FILE = "extra_model_paths.yaml"
_TITLE = "# Written by ModelHub: modelhub export comfyui. What is below is replaced when it is written again.\n"
_DIGEST = "# sha256 of the rest: "


@dataclass(frozen=True, slots=True)
class ModelPaths:
    """Which folders to name, and which cannot be named."""

    folders: Mapping[str, tuple[Path, ...]]
    """What ComfyUI calls the kind -> its folders; it looks through all that is below them."""
    mixed: tuple[tuple[Path, str], ...]
    """Folders with more than one kind, and what they hold."""
    kept_back: tuple[tuple[int, str], ...] = ()
    """(catalog ID, why) of models that no tool is shown."""


def model_paths(catalog: Catalog, wanted: Sequence[Artifact]) -> ModelPaths:
    """The folders of `wanted` that hold models of one kind only, as far as the catalog knows their contents."""
    wanted, kept_back = usable(wanted, catalog.workspace)
    held = _kinds_below(usable(catalog.list(), catalog.workspace)[0])
    folders: dict[str, set[Path]] = defaultdict(set)
    mixed: dict[Path, str] = {}
    for folder, category in _places(wanted):
        others = held[folder]
        if len(others) == 1:
            folders[category].add(folder)
        else:
            mixed[folder] = ", ".join(sorted(others))
    outermost = {category: tuple(_outermost(found)) for category, found in sorted(folders.items())}
    return ModelPaths(outermost, tuple(sorted(mixed.items())), kept_back)


def paths_yaml(paths: ModelPaths) -> str:
    """The file's text, which says by a digest that it is ours and unchanged."""
    lines = ["modelhub:"]
    for category, folders in paths.folders.items():
        lines += [f"    {category}: |", *(f"        {folder}" for folder in folders)]
    body = "\n".join(lines) + "\n" if paths.folders else "modelhub: {}\n"
    return f"{_TITLE}{_DIGEST}{_digest(body)}\n{body}"


def write_model_paths(path: Path, text: str) -> None:
    """Write the file whole; raises `Conflict` when somebody else's, or an edited one, stands there."""
    if os.path.lexists(path) and not _is_ours(path):
        raise Conflict(
            f"{path} is not ours, or was edited",
            mend=f"write it elsewhere, and start ComfyUI with --extra-model-paths-config THERE/{FILE}",
        )
    with publish(path) as part:
        part.write_text(text, encoding="utf-8")


def _places(artifacts: Sequence[Artifact]) -> Iterator[tuple[Path, str]]:
    """The folder of each file that is there, and what ComfyUI calls its kind."""
    for one in artifacts:
        place = folder_for("comfyui", one.facts, is_folder=is_folder(one.path))
        for at in one.locations:
            if place and at.state == "present" and str(at.path.parent).isprintable():
                yield at.path.parent, PurePosixPath(place).name


def _kinds_below(artifacts: Sequence[Artifact]) -> Mapping[Path, set[str]]:
    """Folder -> all kinds anywhere below it, since ComfyUI looks there too."""
    held: dict[Path, set[str]] = defaultdict(set)
    direct: dict[Path, set[str]] = defaultdict(set)
    for folder, category in _places(artifacts):
        direct[folder].add(category)
    for folder, categories in direct.items():
        for above in (folder, *folder.parents):
            held[above] |= categories
    return held


def _outermost(folders: set[Path]) -> list[Path]:
    return sorted(folder for folder in folders if folders.isdisjoint(folder.parents))


def _is_ours(path: Path) -> bool:
    try:
        title, digest, body = path.read_text(encoding="utf-8").split("\n", 2)
    except (OSError, ValueError):
        return False
    return title + "\n" == _TITLE and digest == _DIGEST + _digest(body)


def _digest(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()
