"""A pickled model, or one of ncnn's -> a safetensors file beside it, in the catalog under the same words.

The original stays.
"""

import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from inference.weights.convert import Conversion, ConversionPlan, convert, plan_conversion
from inference.weights.ncnn import is_ncnn, plan_ncnn
from modelhub.catalog import Catalog
from modelhub.catalog.adding import model_name
from modelhub.errors import NameTaken, UnknownRef
from modelhub.headers import read_table
from modelhub.identify import identify
from modelhub.jobs import Done, Job
from modelhub.kinds import Artifact
from modelhub.words.sidecars import sidecar_names
from modelhub.workspace import Workspace, publish

__all__ = ["Converted", "Planned", "Wish", "convert_model", "plan_model"]

_SUFFIX = ".safetensors"


@dataclass(frozen=True, slots=True)
class Wish:
    """How to convert."""

    out: Path | None = None
    """The file to write when it ends in ``.safetensors``, else a folder; None writes beside the original."""
    half: bool = False
    keep_ema: bool = True


@dataclass(frozen=True, slots=True)
class Planned:
    """One conversion that can be carried out."""

    plan: ConversionPlan
    target: Path
    original: Artifact | None
    """What the catalog knows of the source, if anything."""


@dataclass(frozen=True, slots=True)
class Converted:
    """One conversion that was carried out."""

    conversion: Conversion
    artifact: Artifact
    """The result."""


def plan_model(ref: str, wish: Wish, *, catalog: Catalog) -> Planned:
    """Look up what to convert, a reference or a file's path, and decide where the result goes.

    Raises `UnknownRef`, and what `plan_conversion` raises.
    """
    original = _held(ref, catalog)
    source = original.path if original else Path(ref).expanduser().absolute()
    if is_ncnn(source):
        plan = plan_ncnn(source, half=wish.half)
    else:
        plan = plan_conversion(source, half=wish.half, keep_ema=wish.keep_ema)
    return Planned(plan, _target(source, wish.out, catalog.workspace), original)


def convert_model(planned: Planned, *, catalog: Catalog) -> Job[Converted]:
    """Write the file and register it; when the work was stopped half way, the same again finishes it."""
    for event in convert(planned.plan, planned.target):
        if isinstance(event, Done):
            yield Done(Converted(event.result, _registered(event.result.target, planned.original, catalog)))
        else:
            yield event


def _held(ref: str, catalog: Catalog) -> Artifact | None:
    """What the catalog knows of it; None for a file that it does not hold, whatever another one is called."""
    path = Path(ref).expanduser().absolute()
    if not path.is_file():
        return catalog.resolve(ref)
    try:
        found = catalog.resolve(str(path))
    except UnknownRef:
        return None
    return found if any(place.path.samefile(path) for place in found.locations if place.path.exists()) else None


def _target(source: Path, out: Path | None, workspace: Workspace) -> Path:
    if out is not None and out.suffix == _SUFFIX:
        return out
    name = source.stem + ("-converted" if source.suffix == _SUFFIX else "") + _SUFFIX
    if out is not None:
        return out / name
    if os.access(source.parent, os.W_OK) and not workspace.is_quarantined(source):
        return source.parent / name
    name = f"{model_name(source)}{_SUFFIX}" if workspace.is_quarantined(source) else name
    return workspace.models / identify(read_table(source), name=source.stem).kind / name


def _registered(target: Path, original: Artifact | None, catalog: Catalog) -> Artifact:
    """The result's entry; a new one gets the words that the owner gave to the original.

    What comes out of quarantine takes its name too, and what the hub said of it.
    """
    released = original if original and catalog.workspace.is_quarantined(original.path) else None
    if released:
        _copy_notes(released.path, target)
    registered = catalog.files.register(target)
    artifact = catalog.artifact(registered.id)
    if original is None or len(artifact.locations) > 1:
        return artifact
    if registered.is_new:
        _name(artifact, original, catalog, released=released is not None)
    if original.note and not artifact.note:
        catalog.set_note(artifact.id, original.note)
    if original.facts.said and not artifact.facts.said:
        catalog.say(artifact.id, original.facts.said)
    return catalog.tag(artifact.id, *original.tags)


def _name(artifact: Artifact, original: Artifact, catalog: Catalog, *, released: bool) -> None:
    with suppress(NameTaken):
        if released:
            catalog.rename(original.id, f"{original.name}-pickle")
        catalog.rename(artifact.id, original.name if released else f"{original.name}-safetensors")


def _copy_notes(source: Path, target: Path) -> None:
    """What the hub said, and the preview, by the names that they must have beside the result."""
    for beside, there in zip(sidecar_names(source), sidecar_names(target), strict=True):
        if (note := source.with_name(beside)).is_file() and not target.with_name(there).exists():
            with publish(target.with_name(there)) as part:
                shutil.copyfile(note, part)
