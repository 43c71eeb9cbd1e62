"""Model files and diffusers folders -> the tensors of their parts (pure, no torch)."""

from collections.abc import Mapping
from pathlib import Path

from inference.weights.parts import Part, Weights
from inference.weights.single_file import held_parts, part_in
from modelhub.errors import BrokenFile, Incompatible
from modelhub.families import Family
from modelhub.headers import WeightSet, folder_files, read_table, weight_sets

__all__ = ["model_parts", "model_weights", "read_weights"]

_PIPELINE = "model_index.json"


def model_parts(path: Path, family: Family) -> dict[str, Part]:
    """The parts of a pipeline that a model file holds, or a folder that diffusers wrote.

    Raises `Incompatible` with the next command for pickles in a folder.
    """
    if not (path / _PIPELINE).is_file():
        return held_parts(read_weights(path), family)
    roles = [role for role in family.components if (path / role).is_dir()]
    return {role: part_in(read_weights(path / role), family, role) for role in roles}


def model_weights(path: Path, role: str) -> Weights:
    """Where a model's tensors stand that may play `role`."""
    return read_weights(path / role if (path / _PIPELINE).is_file() else path)


def read_weights(path: Path) -> Weights:
    """The tensors of a file, or of a folder that holds one module."""
    table = read_table(path)
    if table.container != "diffusers":
        return Weights(path, table)
    return Weights(path, table, dict(_files(path)))


def _files(folder: Path) -> Mapping[str, str]:
    """Tensor -> the file in `folder` that holds it."""
    names = [one.name for one in folder_files(folder)]
    files = weight_sets(names)[0]
    if files.suffix != "safetensors":
        pickles = " ".join(str(folder / name) for name in _shards(files, names))
        raise Incompatible(
            f"the weights in {folder} are pickles: they are only read after they were converted",
            mend=f"modelhub convert {pickles}",
        )
    found: dict[str, str] = {}
    for name in _shards(files, names):
        table = read_table(folder / name)
        found |= dict.fromkeys(table.tensors, name)
    return found


def _shards(files: WeightSet, names: list[str]) -> list[str]:
    if files.whole:
        return [files.whole]
    if missing := files.shards.difference(names):
        raise BrokenFile(files.stem, f"its shard {min(missing)} is missing", mend="download it again")
    return sorted(files.shards)
