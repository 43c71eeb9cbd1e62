"""torch's pickles, for tools that read nothing else: written whole, the same bytes for the same content."""

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from inference.weights.number_types import TYPES
from modelhub.headers import read_table, read_tensor
from modelhub.workspace import publish

__all__ = ["read_pickle", "save_pickle"]

_MEMBERS = ("data.pkl", "data/", "version")
"""What every torch reads; webui refuses archives in which anything stands that later ones added."""


def save_pickle(path: Path, content: Mapping[object, object]) -> None:
    """Pickle `content` to `path`, replacing what stood there only when all is on the disk."""
    pickled = io.BytesIO()
    torch.save(dict(content), pickled)
    with zipfile.ZipFile(pickled) as theirs, publish(path) as part, zipfile.ZipFile(part, "w") as ours:
        for name in theirs.namelist():
            if name.partition("/")[2].startswith(_MEMBERS):
                ours.writestr(zipfile.ZipInfo(name), theirs.read(name))


def read_pickle(path: Path) -> dict[str, Tensor]:
    """Its tensors by their dotted names, in their order; nothing in it is executed."""
    table = read_table(path)
    return {
        name: torch.frombuffer(bytearray(read_tensor(path, table, name)), dtype=TYPES[one.dtype]).reshape(one.shape)
        for name, one in table.tensors.items()
    }
