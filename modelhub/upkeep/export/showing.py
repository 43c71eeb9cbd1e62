"""Which names another tool should find in its folders, and for which files."""

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from modelhub.headers import WEIGHT_SUFFIXES
from modelhub.kinds import Artifact
from modelhub.upkeep.export.layouts import folder_for, numbered, portable_name
from modelhub.words.strangers import distinct

__all__ = ["Link", "Shown", "is_folder", "linked", "shown"]

_GENERIC = ("model", "diffusion_pytorch_model", "pytorch_model", "pytorch_lora_weights", "adapter_model", "lora")
"""Stems that say nothing: the catalog's own name says more."""
_VERSIONS = {"sd1": "SD1", "sd2": "SD2", "sdxl": "SDXL"}
"""Family -> what webui calls it in its notes."""


@dataclass(frozen=True, slots=True)
class Link:
    """One name that should be there: of a file, or of a note with this text."""

    name: str
    """Path below the export's folder, with slashes."""
    artifact_id: int
    source: Path | None = None
    text: bytes = b""


@dataclass(frozen=True, slots=True)
class Shown:
    """An artifact, the file to show and the folder to show it in."""

    artifact: Artifact
    source: Path | None
    """None while no file of it is there."""
    place: str | None
    """None where the tool has none."""
    there: bool
    """Whether the tool sees the file itself already."""

    @property
    def unfit(self) -> str:
        """Why it cannot be shown, if it cannot."""
        if self.source is None:
            return "its file is missing"
        what = "model folders" if is_folder(self.artifact.path) else f"models of the kind {self.artifact.facts.kind}"
        return f"the tool has no place for {what}" if self.place is None else ""


def shown(artifact: Artifact, layout: str, folder: Path, ours: Collection[str]) -> Shown:
    """`ours` are names below `folder` that an export made: no files of the artifact, though a scan may find them."""
    places = [at.path for at in artifact.locations if at.state == "present"]
    own = [path for path in places if _below(path, folder) not in ours]
    place = folder_for(layout, artifact.facts, is_folder=is_folder(artifact.path))
    there = place is not None and any(path.is_relative_to(folder / place) for path in own)
    return Shown(artifact, own[0] if own else None, place, there)


def linked(each: Sequence[Shown], *, sidecars: bool) -> Iterator[Link]:
    """A link for each that the tool does not see yet; the lowest ID keeps a name that several have.

    Names differ before their endings too: tools call models, and the notes beside them, by that part.
    """
    taken: set[str] = set()
    for one in each:
        if one.source is None or one.unfit or one.there:
            continue
        name = portable_name(_telling_name(one.artifact, one.source))
        if f"{one.place}/{PurePosixPath(name).stem}".casefold() in taken:
            name = numbered(name, one.artifact.id)
        taken.add(f"{one.place}/{PurePosixPath(name).stem}".casefold())
        yield Link(f"{one.place}/{name}", one.artifact.id, one.source)
        yield from _beside(f"{one.place}/{name}", one.artifact) if sidecars else ()


def _telling_name(artifact: Artifact, source: Path) -> str:
    generic = source.stem.partition(".")[0] in _GENERIC
    return f"{artifact.name}{source.suffix}" if generic else source.name


def _below(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else ""


def is_folder(path: Path) -> bool:
    return path.suffix.lower() not in WEIGHT_SUFFIXES


def _beside(name: str, artifact: Artifact) -> Iterator[Link]:
    """webui's note and the preview, under the link's own name."""
    bare = name if is_folder(Path(name)) else name.removesuffix(PurePosixPath(name).suffix)
    weight = artifact.weight
    if artifact.trigger_words or artifact.note or weight:
        yield Link(f"{bare}.json", artifact.id, text=_webui_note(artifact, weight))
    if artifact.preview is not None:
        yield Link(f"{bare}.preview{artifact.preview.suffix.lower()}", artifact.id, artifact.preview)


def _webui_note(artifact: Artifact, weight: float | None) -> bytes:
    content = {
        "description": "",
        "sd version": _VERSIONS.get(artifact.facts.family or "", "Unknown"),
        "activation text": ", ".join(distinct(",".join(artifact.trigger_words).split(","))),
        "preferred weight": weight or 0,
        "negative text": "",
        "notes": artifact.note,
    }
    return json.dumps(content, ensure_ascii=False, indent=4).encode()
