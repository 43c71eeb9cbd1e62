"""Reads a model's tensor table, never its weights, and believes nothing it has not checked: one file a format.

What a file is, its first bytes say, whatever its name ends in.
"""

from pathlib import Path

from modelhub.errors import MissingFile, UnsafeFile
from modelhub.headers._table import TensorEntry, TensorTable
from modelhub.headers.safetensors import MAX_HEADER, data_digest, read_safetensors, write_table

__all__ = ["MAX_HEADER", "TensorEntry", "TensorTable", "data_digest", "read_table", "write_table"]

_MAGICS = {b"PK\x03\x04": "a zip archive (a pickled checkpoint, perhaps)", b"GGUF": "a GGUF file"}
_PICKLE_PROTOCOLS = b"\x02\x03\x04\x05"


def read_table(path: Path) -> TensorTable:
    """The tensor table of a model file.

    Raises `MissingFile`, `UnsafeFile` for what is none of the formats that we read, and `BrokenFile` for a file
    that contradicts itself.
    """
    try:
        with path.open("rb") as file:
            prefix = file.read(9)
            for magic, what in _MAGICS.items():
                if prefix.startswith(magic):
                    raise UnsafeFile(f"{path} is {what}, not a safetensors file")
            if prefix[:1] == b"\x80" and prefix[1:2] in _PICKLE_PROTOCOLS and prefix[8:9] != b"{":
                raise UnsafeFile(
                    f"{path} is a pickle, which can run code when it is loaded; ask for a safetensors file"
                )
            return read_safetensors(path, file)
    except FileNotFoundError:
        raise MissingFile(f"{path}: there is no such file") from None
    except IsADirectoryError:
        raise MissingFile(f"{path} is a folder, not a weight file") from None
