"""What a resumed training goes on from, as it lies in its run's folder."""

import io
from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch

from modelhub.errors import BrokenFile, Incompatible
from modelhub.workspace import publish
from trainers.recipe import Recipe
from trainers.running.runs import RunFolder
from trainers.spelling import command_of

__all__ = ["read_state", "write_state"]

_SCHEMA = 1


def write_state(folder: RunFolder, state: Mapping[str, Any], *, recipe: Recipe, dataset: str) -> None:
    """Keep where a training stands, with what it must be resumed on: `dataset` is its digest."""
    buffer = io.BytesIO()  # written by us, since torch says of a full disk only that a stream broke
    torch.save({"schema": _SCHEMA, "recipe": recipe.digest, "dataset": dataset, **state}, buffer)
    with publish(folder.state) as part:
        part.write_bytes(buffer.getbuffer())


def read_state(folder: RunFolder, *, recipe: Recipe, dataset: str) -> dict[str, Any] | None:
    """Where it stood, None before its first state; raises `Incompatible` naming what has changed since."""
    path = folder.state
    if not path.is_file():
        return None
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, OSError, ValueError, EOFError, UnpicklingError) as error:
        raise BrokenFile(path, f"cannot be read ({error})") from error
    if state["schema"] > _SCHEMA:
        raise BrokenFile(path, "was written by a newer ModelHub", mend="pip install -U modelhub-suite")
    if state["recipe"] != recipe.digest:
        raise Incompatible(
            f"{folder.recipe} was changed since the run began", mend=f"put it back, or {_anew(recipe, folder.recipe)}"
        )
    if state["dataset"] != dataset:
        raise Incompatible("the images or captions were changed since the run began", mend=_anew(recipe, folder.recipe))
    return state


def _anew(recipe: Recipe, path: Path) -> str:
    return f"train anew: modelhub train {command_of(recipe.method)} --recipe {path}"
