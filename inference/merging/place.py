"""Where a new model goes."""

from pathlib import Path

from modelhub.catalog import Catalog
from modelhub.errors import NameTaken, UnknownRef
from modelhub.kinds import Kind
from modelhub.refs import check_name

__all__ = ["free_place"]


def free_place(name: str, kind: Kind, catalog: Catalog) -> Path:
    """The file of a model that will be called `name`; raises `NameTaken` before any work is done for nothing."""
    path = catalog.workspace.models / kind / f"{check_name(name)}.safetensors"
    try:
        holder = f"catalog ID {catalog.resolve(name).id}"
    except UnknownRef:
        holder = str(path) if path.exists() else ""
    if holder:
        raise NameTaken(f"the name {name!r} is taken by {holder}", mend="choose another with --name")
    return path
