"""Reads a model's tensor table, never its weights, and believes nothing it has not checked: one file a format.

What a file is, its first bytes say, whatever its name ends in.
"""

from pathlib import Path

from modelhub.headers._files import WEIGHT_SUFFIXES, read_file_table
from modelhub.headers._table import TensorEntry, TensorTable
from modelhub.headers._weight_sets import NET, TAGS, WeightSet, is_small_part, is_tagger, weight_sets
from modelhub.headers.folders import BESIDE, folder_files, holds_model, read_folder_table, weight_files
from modelhub.headers.onnx import INPUTS, OUTPUTS
from modelhub.headers.safetensors import MAX_HEADER, data_digest, write_outline, write_table

__all__ = ["MAX_HEADER", "TensorEntry", "TensorTable", "WEIGHT_SUFFIXES", "WeightSet", "data_digest", "folder_files"]
__all__ += ["BESIDE", "INPUTS", "NET", "OUTPUTS", "TAGS", "holds_model", "is_small_part", "is_tagger", "read_table"]
__all__ += ["read_tensor", "weight_files", "weight_sets", "write_outline", "write_table"]


def read_table(path: Path) -> TensorTable:
    """The tensor table of a model file, or of a folder that is one model.

    Raises `MissingFile`, `UnsafeFile` for what is none of the formats that we read, and `BrokenFile` for a file
    that contradicts itself.
    """
    if path.is_dir() and holds_model([one.name for one in path.iterdir()]):
        return read_folder_table(path)
    return read_file_table(path)


def read_tensor(path: Path, table: TensorTable, name: str) -> bytes:
    """The bytes of one tensor of a file, as they lie; nothing where it is a folder's."""
    entry = table.tensors[name]
    if table.container == "diffusers":
        return b""
    with path.open("rb") as file:
        file.seek(table.data_start + entry.start)
        return file.read(entry.end - entry.start)
