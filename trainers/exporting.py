"""Writes what was trained, reads it back, and keeps it only if it is what was trained."""

import time
from collections.abc import Iterator
from pathlib import Path

from inference.weights.save import save_tensors, tensor_digest
from modelhub.errors import ModelHubError
from trainers.metadata import Trained, header
from trainers.methods import Export, Trainee
from trainers.plan import TrainingPlan

__all__ = ["write"]


def write(plan: TrainingPlan, trainee: Trainee, step: int, folder: Path, stem: str, started: float) -> list[Path]:
    """All files of the trainee as it now is: ``STEM.safetensors`` in that folder, and what stands beside it."""
    trained = Trained(plan=plan, steps=step, started=started, finished=time.time())
    written: list[Path] = []
    try:
        for export, path in places(trainee.exports(plan.recipe.export.formats), folder, stem):
            written.append(path)
            save_tensors(path, dict(export.tensors), header(trained, export, tensor_digest(dict(export.tensors))))
            trainee.check(export, path)
    except ModelHubError:
        for path in written:
            path.unlink(missing_ok=True)
        raise
    return written


def places(exports: list[Export], folder: Path, stem: str) -> Iterator[tuple[Export, Path]]:
    """Where each is written; those after the first of a kind carry their format's name."""
    kinds = set()
    for export in exports:
        is_first = export.kind not in kinds
        kinds.add(export.kind)
        name = stem + export.ending + ("" if is_first else f".{export.format}")
        yield export, folder / f"{name}{export.suffix}"
