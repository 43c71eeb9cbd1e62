"""A model in another format, layout or precision, beside the original and in the catalog under the same words.

The original stays.
"""

import os
import shutil
from collections.abc import Iterator, Mapping, MutableSequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from inference.relayout import plan_folder, plan_single
from inference.weights.convert import Conversion, ConversionPlan, convert, plan_conversion
from inference.weights.convert_folder import FolderPlan, convert_folder, pickles_in, plan_folder_conversion
from inference.weights.ncnn import is_ncnn, plan_ncnn
from inference.weights.reduce import plan_reduced
from inference.weights.rewrite import rewrite
from inference.weights.rows import Precision, RewritePlan
from modelhub.catalog import Catalog
from modelhub.catalog.adding import model_name
from modelhub.errors import BadValue, NameTaken, UnknownRef
from modelhub.headers import TensorTable, holds_model, read_table, read_tensor
from modelhub.identify import identify
from modelhub.jobs import Done, Job
from modelhub.kinds import Artifact, Facts
from modelhub.words.sidecars import sidecar_names
from modelhub.workspace import Workspace, publish

__all__ = ["Converted", "Layout", "Planned", "Precision", "Wish", "convert_model", "plan_model"]

_SUFFIX = ".safetensors"
_PIPELINE = "model_index.json"
Plan: TypeAlias = ConversionPlan | FolderPlan | RewritePlan
"""Pickles as safetensors, one or a network's folder; or safetensors anew."""


class Layout(StrEnum):
    """How a whole model lies on the disk."""

    SINGLE = "single"
    """One file, as webui and ComfyUI read it."""
    FOLDER = "folder"
    """A pipeline of diffusers."""


@dataclass(frozen=True, slots=True)
class Wish:
    """How to convert."""

    out: Path | None = None
    """The file to write when it ends in ``.safetensors``, else a folder; None writes beside the original."""
    precision: Precision | None = None
    """None keeps every number as it is."""
    keep_ema: bool = True
    prune: bool = False
    """Whether to keep only what drawing needs."""
    layout: Layout | None = None

    @property
    def words(self) -> tuple[str, ...]:
        """What the result is called after, beside its original."""
        reduced = "pruned" if self.prune else "" if self.keep_ema else "no-ema"
        return tuple(filter(None, ("" if self.layout else reduced, self.precision.word if self.precision else "")))


@dataclass(frozen=True, slots=True)
class Planned:
    """One conversion that can be carried out."""

    plan: Plan
    target: Path
    original: Artifact | None
    """What the catalog knows of the source, if anything."""
    wish: Wish = field(default_factory=Wish)

    @property
    def label(self) -> str:
        """What is added to the original's name."""
        if not isinstance(self.plan, RewritePlan):
            return "safetensors"
        return "-".join(filter(None, (self.wish.layout, *self.wish.words)))


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
    plan = _plan(source, original, wish)
    return Planned(plan, _target(source, plan, wish, catalog.workspace), original, wish)


def convert_model(planned: Planned, *, catalog: Catalog) -> Job[Converted]:
    """Write the model and register it; when the work was stopped half way, the same again finishes it."""
    with _recorded(planned, catalog) as made:
        plan, target = planned.plan, planned.target
        for event in _work(plan, target):
            if isinstance(event, Done):
                converted = Converted(event.result, _registered(target, planned, catalog))
                made.append(converted.artifact.id)
            else:
                yield event
    yield Done(converted)


def _work(plan: Plan, target: Path) -> Job[Conversion]:
    if isinstance(plan, RewritePlan):
        return rewrite(plan, target)
    return convert(plan, target) if isinstance(plan, ConversionPlan) else convert_folder(plan, target)


@contextmanager
def _recorded(planned: Planned, catalog: Catalog) -> Iterator[MutableSequence[int]]:
    """A run, for what is made anew out of a model; another format of the same numbers is none."""
    if not isinstance(planned.plan, RewritePlan):
        yield []
        return
    wish = planned.wish
    payload = {
        "schema": 1, "source": planned.plan.source.name, "layout": wish.layout, "precision": wish.precision,
        "keep_ema": wish.keep_ema, "prune": wish.prune,
    }  # fmt: skip
    used = [("model", planned.original.id)] if planned.original else []
    with catalog.recorded("convert", payload, used) as made:
        yield made


def _held(ref: str, catalog: Catalog) -> Artifact | None:
    """What the catalog knows of it; None for a file that it does not hold, whatever another one is called."""
    path = Path(ref).expanduser().absolute()
    if not path.is_file() and not _is_model_folder(path):
        return catalog.resolve(ref)
    try:
        found = catalog.resolve(str(path))
    except UnknownRef:
        return None
    return found if any(place.path.samefile(path) for place in found.locations if place.path.exists()) else None


def _is_model_folder(path: Path) -> bool:
    return path.is_dir() and holds_model([one.name for one in path.iterdir()])


def _plan(source: Path, original: Artifact | None, wish: Wish) -> Plan:
    if is_ncnn(source):
        _check_plain(source, wish)
        return plan_ncnn(source, half=wish.precision is Precision.F16)
    table = read_table(source)
    if table.container == "diffusers":
        return _plan_pickles(source, wish) or _plan_out_of_folder(source, table, original, wish)
    if table.container != "safetensors":
        _check_plain(source, wish)
        return plan_conversion(source, half=wish.precision is Precision.F16, keep_ema=wish.keep_ema)
    if wish.layout is Layout.FOLDER:
        return plan_folder(source, _facts(source, table, original), wish.precision)
    if not (wish.precision or wish.prune) and wish.keep_ema:
        mend = f"modelhub convert {source} --fp16, --prune or --to folder"
        raise BadValue(f"{source} is a safetensors file already: there is nothing to change", mend=mend)
    return plan_reduced(source, precision=wish.precision, keep_ema=wish.keep_ema, prune=wish.prune)


def _plan_pickles(source: Path, wish: Wish) -> ConversionPlan | FolderPlan | None:
    """For the weights of a folder that is one network, where they are pickles; one of them may become a file alone."""
    pickles = () if (source / _PIPELINE).is_file() else pickles_in(source)
    if not pickles:
        return None
    _check_plain(source, wish)
    plan = plan_folder_conversion(source, half=wish.precision is Precision.F16, keep_ema=wish.keep_ema)
    if wish.out is None or wish.out.suffix != _SUFFIX:
        return plan
    if len(pickles) > 1:
        raise BadValue(f"{source} is {len(pickles)} files, which become a folder", mend="--out FOLDER")
    return plan.files[0]


def _plan_out_of_folder(source: Path, table: TensorTable, original: Artifact | None, wish: Wish) -> RewritePlan:
    if not (source / _PIPELINE).is_file():
        raise BadValue(f"{source} is one part of a model, and is read as it is: there is nothing to change")
    if wish.layout is not Layout.SINGLE:
        raise BadValue(f"{source} is a folder already", mend=f"modelhub convert {source} --to single")
    title = original.name if original else model_name(source)
    return plan_single(source, _facts(source, table, original), title, wish.precision)


def _check_plain(source: Path, wish: Wish) -> None:
    """What is no safetensors yet becomes that first."""
    if wish.layout or wish.prune or wish.precision not in (None, Precision.F16):
        raise BadValue(
            f"{source} is no safetensors file yet: its layout, parts and precision are changed when it is one",
            mend=f"modelhub convert {source}",
        )


def _facts(source: Path, table: TensorTable, original: Artifact | None) -> Facts:
    return original.facts if original else identify(table, name=source.stem, read=partial(read_tensor, source, table))


def _target(source: Path, plan: Plan, wish: Wish, workspace: Workspace) -> Path:
    if wish.out is not None and wish.out.suffix == _SUFFIX:
        if wish.layout is Layout.FOLDER:
            raise BadValue(f"--out {wish.out} is a file, and a folder will be written", mend="--out FOLDER")
        return wish.out
    name = _file_name(source, plan, wish)
    if wish.out is not None:
        return wish.out / name
    in_cache = source.parent.name == "snapshots"
    if os.access(source.parent, os.W_OK) and not workspace.is_quarantined(source) and not in_cache:
        return source.parent / name
    if workspace.is_quarantined(source):
        name = model_name(source) + ("" if source.is_dir() else _SUFFIX)
    return workspace.models / identify(read_table(source), name=source.stem).kind / name


def _file_name(source: Path, plan: Plan, wish: Wish) -> str:
    if isinstance(plan, FolderPlan):
        return f"{model_name(source)}-safetensors"
    if isinstance(plan, ConversionPlan):
        return source.stem + ("-converted" if source.suffix == _SUFFIX else "") + _SUFFIX
    stem = model_name(source) if source.is_dir() else source.stem
    return "-".join((stem, *wish.words)) + ("" if wish.layout is Layout.FOLDER else _SUFFIX)


def _registered(target: Path, planned: Planned, catalog: Catalog) -> Artifact:
    """The result's entry; a new one gets the words that the owner gave to the original.

    What comes out of quarantine takes its name too, and what the hub said of it.
    """
    original = planned.original
    released = original if original and catalog.workspace.is_quarantined(original.path) else None
    if released:
        _copy_notes(released.path, target)
    registered = catalog.files.register(target)
    artifact = catalog.artifact(registered.id)
    if original is None or len(artifact.locations) > 1:
        return artifact
    if registered.is_new:
        _name(artifact, original, catalog, label="" if released else planned.label)
    if original.note and not artifact.note:
        catalog.set_note(artifact.id, original.note)
    if (said := _said(original, artifact)) and not artifact.facts.said:
        catalog.say(artifact.id, said)
    return catalog.tag(artifact.id, *original.tags)


def _said(original: Artifact, artifact: Artifact) -> Mapping[str, Any]:
    """What the owner said, and the family where the result is of no usual size, and cannot tell it."""
    untold = artifact.facts.family is None and original.facts.family is not None
    return {**({"family": original.facts.family} if untold else {}), **original.facts.said}


def _name(artifact: Artifact, original: Artifact, catalog: Catalog, *, label: str) -> None:
    """Without a label it takes the original's name."""
    with suppress(NameTaken):
        if not label:
            catalog.rename(original.id, f"{original.name}-pickle")
        catalog.rename(artifact.id, f"{original.name}-{label}" if label else original.name)


def _copy_notes(source: Path, target: Path) -> None:
    """What the hub said, and the preview, by the names that they must have beside the result."""
    for beside, there in zip(sidecar_names(source), sidecar_names(target), strict=True):
        if (note := source.with_name(beside)).is_file() and not target.with_name(there).exists():
            with publish(target.with_name(there)) as part:
                shutil.copyfile(note, part)
