"""One network's folder with its weights in pickles -> such a folder with the same weights as safetensors."""

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from inference.weights.convert import Conversion, ConversionPlan, convert, plan_conversion, remove_leftovers
from modelhub.errors import Conflict
from modelhub.headers import WEIGHT_SUFFIXES, folder_files, weight_files
from modelhub.headers.pickles import PlacedTensor
from modelhub.jobs import Done, Job
from modelhub.workspace import disk_error, publish

__all__ = ["FolderPlan", "convert_folder", "pickles_in", "plan_folder_conversion"]

_INDEX = ".index."
"""In the names of files that tell which shard holds what."""


@dataclass(frozen=True, slots=True)
class FolderPlan:
    """What converting a network's folder will come to: its pickles, one or the shards of one, each with its plan."""

    source: Path
    files: tuple[ConversionPlan, ...]

    @property
    def tensors(self) -> Mapping[str, PlacedTensor]:
        """Under the names that they will have."""
        return {name: tensor for one in self.files for name, tensor in one.tensors.items()}

    @property
    def size(self) -> int:
        """Bytes of the result's tensors, at most."""
        return sum(one.size for one in self.files)

    @property
    def dropped(self) -> tuple[str, ...]:
        """Names of what the result will not hold."""
        return tuple(chain.from_iterable(one.dropped for one in self.files))

    @property
    def strangers(self) -> tuple[str, ...]:
        """Dotted names that loading the originals would import."""
        return tuple(sorted({name for one in self.files for name in one.strangers}))


def pickles_in(folder: Path) -> tuple[Path, ...]:
    """The pickles that hold the weights of a folder's network; none where they are safetensors.

    Raises what `weight_files` raises.
    """
    return tuple(one for one in weight_files(folder) if one.suffix == ".bin")


def plan_folder_conversion(folder: Path, *, half: bool = False, keep_ema: bool = True) -> FolderPlan:
    """Plan for every pickle of the network; raises what `pickles_in` and `plan_conversion` raise."""
    plans = (plan_conversion(one, half=half, keep_ema=keep_ema) for one in pickles_in(folder))
    return FolderPlan(folder, tuple(plans))


def convert_folder(plan: FolderPlan, target: Path) -> Job[Conversion]:
    """`convert` into the folder `target`, with all else that belongs to the network; whole or not at all.

    Shards stay shards. Raises what `convert` raises.
    """
    if target.exists():
        yield from _converted(plan, target, target)
        return
    remove_leftovers(target, is_folder=True)
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        part.mkdir(parents=True)
        for one in folder_files(plan.source):
            if not one.name.lower().endswith(WEIGHT_SUFFIXES) and _INDEX not in one.name:
                shutil.copyfile(one, part / one.name)
        for event in _converted(plan, part, target):
            if isinstance(event, Done):
                part.rename(target)
            yield event
    except OSError as error:
        raise disk_error(error, target) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _converted(plan: FolderPlan, folder: Path, target: Path) -> Job[Conversion]:
    """Each pickle into `folder`; the result is one conversion, named as it will lie in `target`."""
    made: list[Conversion] = []
    for one in plan.files:
        for event in convert(one, folder / _renamed(one.source.name)):
            if isinstance(event, Done):
                made.append(event.result)
            else:
                yield event
    if len(plan.files) > 1:
        _write_index(plan, folder)
    yield Done(
        Conversion(
            source=plan.source,
            target=target,
            tensors=sum(one.tensors for one in made),
            size=sum(one.size for one in made),
            dropped=plan.dropped,
            too_large=tuple(chain.from_iterable(one.too_large for one in made)),
            written=any(one.written for one in made),
        )
    )


def _renamed(name: str) -> str:
    """``pytorch_model-00001-of-00002.bin`` as transformers calls it in safetensors."""
    return f"{name.removeprefix('pytorch_').removesuffix('.bin')}.safetensors"


def _write_index(plan: FolderPlan, folder: Path) -> None:
    """What tells which shard holds which tensor; raises `Conflict` for another one that is there."""
    held = dict(sorted(_places(plan)))
    text = json.dumps({"metadata": {"total_size": plan.size}, "weight_map": held}, indent=2) + "\n"
    file = folder / _index_name(plan.files[0].source.name)
    if not file.exists():
        with publish(file) as part:
            part.write_text(text, encoding="utf-8")
    elif json.loads(file.read_text(encoding="utf-8")).get("weight_map") != held:
        raise Conflict(f"{file} stands there already, and tells of other shards", mend="choose another --out")


def _places(plan: FolderPlan) -> Iterator[tuple[str, str]]:
    return ((name, _renamed(one.source.name)) for one in plan.files for name in one.tensors)


def _index_name(shard: str) -> str:
    """Of ``pytorch_model.fp16-00001-of-00002.bin``: ``model.safetensors.index.fp16.json``."""
    stem, _, variant = _renamed(shard).partition("-00")[0].partition(".")
    return ".".join(filter(None, (stem, "safetensors.index", variant, "json")))
