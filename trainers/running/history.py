"""Trainings of the past, from their folders and the catalog (no torch)."""

import json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from modelhub.catalog import Catalog, Run
from modelhub.errors import NotFound
from trainers.learning.smoothing import smoothed
from trainers.running.runs import RunFolder
from trainers.spelling import command_of

__all__ = ["Past", "history", "past"]

_LAST = 100
"""Steps that the loss of a training is told of."""


@dataclass(frozen=True, slots=True)
class Past:
    """One training, running or over."""

    run: int
    name: str
    method: str
    state: str
    step: int
    """Reached."""
    steps: int
    loss: float | None
    """Mean of the last steps."""
    held_out_loss: float | None
    """Of the last look at the held-out pictures."""
    base: str
    """Catalog ID and name."""
    began: datetime
    took: str
    folder: Path
    files: Mapping[str, Path]
    """What lies in it that is worth a look."""
    made: tuple[str, ...]
    """Catalog ID and name of each result."""
    error: str | None


def history(catalog: Catalog) -> tuple[Past, ...]:
    """All that have a folder in the workspace, newest first."""
    folders = catalog.workspace.runs.glob("[0-9][0-9][0-9][0-9]*-*")
    numbers = {int(path.name.partition("-")[0]) for path in folders if path.name.partition("-")[0].isdecimal()}
    found = []
    for number in sorted(numbers, reverse=True):
        try:
            run = catalog.run(number)
        except NotFound:
            continue  # of a catalog that was deleted
        if run.kind == "train":
            found.append(past(run, catalog))
    return tuple(found)


def past(run: Run, catalog: Catalog) -> Past:
    """One of them; raises `NotFound` for a run that is no training."""
    if run.kind != "train":
        raise NotFound(f"run {run.id} is no training", mend="modelhub train runs")
    folder = RunFolder.of(catalog.workspace, run.id, str(run.payload["name"]))
    losses = [(row["step"], row["loss"]) for row in _lines(folder.losses)]
    base = next((number for role, number in run.inputs if role == "base"), 0)
    held = catalog.names((*run.outputs, base))
    looks = _lines(folder.validation)
    return Past(
        run=run.id,
        name=str(run.payload["name"]),
        method=command_of(str(run.payload.get("method", "lora"))),
        state=run.state,
        step=int(losses[-1][0]) if losses else 0,
        steps=int(run.payload.get("steps", 0)),
        loss=smoothed(losses, share=0.5)[-1][1] if losses else None,
        held_out_loss=looks[-1]["loss"] if looks else None,
        base=f"{base} {held.get(base, '(gone)')}",
        began=run.started_at,
        took=str(run.finished_at - run.started_at).partition(".")[0] if run.finished_at else "",
        folder=folder.path,
        files={what: path for what, path in _files(folder).items() if path.exists()},
        made=tuple(f"{number} {held.get(number, '(gone)')}" for number in run.outputs),
        error=run.error,
    )


def _files(folder: RunFolder) -> Mapping[str, Path]:
    """What may lie in it."""
    return {
        "recipe": folder.recipe,
        "losses": folder.losses,
        "plot": folder.plot,
        "previews": folder.previews,
        "tensorboard": folder.tensorboard,
        "evaluation": folder.sheet,
    }


def _lines(path: Path) -> list[Mapping[str, float]]:
    """The last ones of a log, none where it is missing."""
    if not path.is_file():
        return []
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in deque(file, maxlen=_LAST)]
