"""Folders that are one model: a pipeline as diffusers saves it, a single component, a peft adapter, a tagger."""

import os
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from modelhub.errors import BrokenFile
from modelhub.headers._configs import flat, read_config, read_shard_names
from modelhub.headers._files import read_file_table
from modelhub.headers._links import leads_out
from modelhub.headers._table import TensorEntry, TensorTable
from modelhub.headers._weight_sets import NET, TAGS, WeightSet, is_small_part, is_tagger, weight_sets
from modelhub.headers.onnx import read_onnx
from modelhub.headers.pickles import STRANGERS

__all__ = ["BESIDE", "IGNORED", "folder_files", "holds_model", "read_folder_table", "weight_files"]

BESIDE = "folder.beside"
"""The metadata key of files that tell what a component alone is for."""
IGNORED = "folder.ignored"
"""The metadata key of what was passed over, and why."""

_PIPELINE = "model_index.json"
_CONFIGS = ("config.json", "adapter_config.json", "scheduler_config.json")
_TELLING = (TAGS, "preprocessor_config.json", "processor_config.json")
_ARCHITECTURES = re.compile(r'\["(\w+)"')
"""Where transformers notes the class, in `flat` text."""
_DISPENSABLE = ("safety_checker", "feature_extractor", "image_encoder")
"""Components that people delete, and that the rest works without."""


def holds_model(names: Collection[str]) -> bool:
    """Whether a folder with these entries is one model, and not a place where models lie."""
    if _PIPELINE in names or is_tagger(names):
        return True
    adapter = "adapter_config.json" in names
    if not adapter and "config.json" not in names:
        return False
    return any(adapter or one.stem != "adapter_model" for one in weight_sets(names))


def folder_files(path: Path) -> tuple[Path, ...]:
    """All files that belong to the model in a folder, in the order of their relative POSIX paths.

    Not among them: hidden files, what a person put beside the model (pictures, a README), and links out of the
    folder, except into the store of a HuggingFace cache.
    """
    found = (file for file in _members(path) if file.is_file() and not leads_out(file, path))
    return tuple(sorted(found, key=lambda file: file.relative_to(path).as_posix()))


def weight_files(path: Path) -> tuple[Path, ...]:
    """What holds the weights of a component alone: one file, or its shards; nothing where there are none.

    Raises `BrokenFile` for a shard that is missing, or lies outside the folder.
    """
    reading = _Reading(path)
    sets = weight_sets(reading.own_files(path))
    return tuple(path / name for name in reading.files_of(path, sets[0])) if sets else ()


def read_folder_table(path: Path) -> TensorTable:
    """The tensors of all components, named ``<component>.<tensor>``; of a component alone under their bare names.

    The metadata are the configurations: ``unet.in_channels``, ``scheduler.prediction_type``. Raises `BrokenFile`
    for what the folder promises and lacks.
    """
    reading = _Reading(path)
    if _PIPELINE in _names(path):
        reading.add_pipeline()
    else:
        reading.add_alone()
    notes = {IGNORED: "; ".join(reading.ignored), STRANGERS: " ".join(sorted(reading.strangers))}
    metadata = reading.metadata | {key: text for key, text in notes.items() if text}
    return TensorTable(reading.tensors, metadata, container="diffusers")


def _members(path: Path) -> Iterator[Path]:
    names = _names(path)
    if _PIPELINE not in names:
        ours = {name for one in weight_sets(names) for name in (one.whole, *one.shards)}
        ours |= {NET} if is_tagger(names) else set()
        yield from (path / name for name in names if name in ours or is_small_part(name))
        return
    yield path / _PIPELINE
    try:
        components = read_config(path / _PIPELINE)
    except BrokenFile:
        return
    for name in _components(components):
        if not leads_out(path / name, path):
            yield from _seen(path / name)


def _seen(folder: Path) -> Iterator[Path]:
    for place, inner, files in os.walk(folder):
        inner[:] = [one for one in inner if not one.startswith(".")]
        yield from (Path(place, one) for one in files if not one.startswith("."))


def _names(folder: Path) -> list[str]:
    return [one.name for one in folder.iterdir()]


def _components(index: Mapping[str, object]) -> dict[str, str]:
    """Name of a component -> its class, of those that the pipeline has."""
    return {
        name: value[1]
        for name, value in index.items()
        if isinstance(value, list) and len(value) == 2 and isinstance(value[1], str) and _is_plain(name)
    }


def _is_plain(name: str) -> bool:
    """Whether a name that a stranger wrote can only mean an entry of the folder itself."""
    fine = name.isascii() and name.isprintable() and 0 < len(name) <= 200
    return fine and name not in (".", "..") and not {"/", "\\"} & set(name)


@dataclass(slots=True)
class _Reading:
    """A folder's table as it grows."""

    root: Path
    tensors: dict[str, TensorEntry] = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)
    ignored: list[str] = field(default_factory=list)
    strangers: set[str] = field(default_factory=set)

    def add_pipeline(self) -> None:
        if not self._is_ours(self.root / _PIPELINE):
            raise BrokenFile(self.root, self.ignored[0])
        index = read_config(self.root / _PIPELINE)
        self.metadata |= flat(index)
        for name, class_name in _components(index).items():
            folder = self.root / name
            if self._is_ours(folder) and folder.is_dir():
                self.add_component(folder, f"{name}.")
                self.metadata.setdefault(f"{name}._class_name", class_name)
            elif name not in _DISPENSABLE:
                raise self._broken(self.root, f"its folder {name} is missing, which {_PIPELINE} names")
        if not self.tensors:
            raise self._broken(self.root, "none of its components has weights")

    def add_alone(self) -> None:
        names = self.own_files(self.root)
        if is_tagger(names):
            with (self.root / NET).open("rb") as file:
                table = read_onnx(self.root / NET, file)
            self.tensors |= table.tensors
            self.metadata |= table.metadata
        else:
            self.add_component(self.root, "")
        beside = " ".join(name for name in _TELLING if name in names)
        self.metadata |= {BESIDE: beside} if beside else {}

    def add_component(self, folder: Path, prefix: str) -> None:
        names = self.own_files(folder)
        configs = [name for name in _CONFIGS if name in names]
        metadata = {key: text for name in configs for key, text in flat(read_config(folder / name)).items()}
        if architectures := _ARCHITECTURES.match(metadata.get("architectures", "")):
            metadata.setdefault("_class_name", architectures[1])
        sets = weight_sets(names)
        if sets:
            metadata = {**self._add_weights(folder, sets[0], prefix), **metadata}
        elif "config.json" in configs:
            raise self._broken(folder, "it has a config.json and no weights")
        self.metadata |= {prefix + key: text for key, text in metadata.items()}

    def _add_weights(self, folder: Path, files: WeightSet, prefix: str) -> dict[str, str]:
        metadata: dict[str, str] = {}
        for name in self.files_of(folder, files):
            table = read_file_table(folder / name)
            metadata |= table.metadata
            self.strangers.update(metadata.pop(STRANGERS, "").split())
            for tensor, entry in table.tensors.items():
                if prefix + tensor in self.tensors:
                    raise BrokenFile(folder / name, f"another of the folder's files holds the tensor {tensor!r} too")
                self.tensors[prefix + tensor] = entry
        return metadata

    def files_of(self, folder: Path, files: WeightSet) -> list[str]:
        if files.whole:
            return [files.whole]
        names = read_shard_names(folder / files.index) if files.index else files.shards
        for name in sorted(names):
            if not _is_plain(name) or not self._is_ours(folder / name) or not (folder / name).is_file():
                raise self._broken(folder, f"its shard {name[:200]!r} is missing")
        return sorted(names)

    def own_files(self, folder: Path) -> list[str]:
        return [name for name in _names(folder) if self._is_ours(folder / name) and (folder / name).is_file()]

    def _is_ours(self, place: Path) -> bool:
        """Whether it lies in the folder; what does not is noted."""
        if reason := leads_out(place, self.root):
            note = f"{place.relative_to(self.root).as_posix()} {reason}"
            if note not in self.ignored:
                self.ignored.append(note)
        return not reason

    def _broken(self, folder: Path, reason: str) -> BrokenFile:
        return BrokenFile(folder, "; ".join([reason, *self.ignored]), mend="download it again")
