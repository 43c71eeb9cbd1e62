"""Writes what was trained, reads it back, and keeps it only if it is what was trained."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from inference.weights.pickles import save_pickle
from inference.weights.save import save_tensors, tensor_digest
from modelhub.errors import ModelHubError
from modelhub.kinds import Kind
from trainers.methods import Export, Trainee
from trainers.plan import TrainingPlan
from trainers.recipe import Recipe
from trainers.running.header import header

__all__ = ["Written", "check_effect", "write"]


@dataclass(frozen=True, slots=True)
class Written:
    """A file of what was trained."""

    kind: Kind
    path: Path
    is_first: bool
    """Of its kind: the one that is catalogued; others are the same in other words."""
    has_effect: bool = True
    """Whether it draws otherwise than the base alone, in its precision."""


def write(
    plan: TrainingPlan, trainee: Trainee, step: int, stem: str, folder: Callable[[Kind], Path]
) -> list[Written]:  # fmt: skip
    """All files of the trainee as it now is: ``STEM.safetensors`` in its kind's folder, and what stands beside it.

    The same steps of the same recipe give the same bytes.
    """
    written: list[Written] = []
    places = list(_places(trainee.exports(plan.recipe.export.formats), stem, folder))
    try:
        for export, path in places:
            path.parent.mkdir(parents=True, exist_ok=True)
            _save(plan, step, export, path)
            is_first = export.kind not in {one.kind for one in written}
            written.append(Written(export.kind, path, is_first, trainee.check(export, path)))
    except BaseException:
        for _, path in places:
            path.unlink(missing_ok=True)
        raise
    return written


def check_effect(written: Sequence[Written], recipe: Recipe) -> None:
    """Raise `ModelHubError` where none of them has any effect; then they are not left behind."""
    if any(one.has_effect for one in written):
        return
    for one in written:
        one.path.unlink(missing_ok=True)
    precision = recipe.export.precision
    finer = "" if precision == "fp32" else ", or --set export.precision=fp32 for changes so small"
    raise ModelHubError(
        f"nothing was learned: in {precision}, {recipe.name} would draw what the base draws without it",
        mend=f"train with a higher rate, which modelhub train range finds{finer}",
    )


def _places(exports: list[Export], stem: str, folder: Callable[[Kind], Path]) -> Iterator[tuple[Export, Path]]:
    """Where each is written; those after the first of a kind carry their format's name."""
    kinds = set()
    for export in exports:
        is_first = export.kind not in kinds
        kinds.add(export.kind)
        name = stem + export.ending + ("" if is_first or export.pickled else f".{export.format}")
        yield export, folder(export.kind) / f"{name}{export.suffix}"


def _save(plan: TrainingPlan, step: int, export: Export, path: Path) -> None:
    if export.pickled is not None:
        save_pickle(path, export.pickled)
        return
    tensors = dict(export.tensors)
    save_tensors(path, tensors, header(plan, step, export, tensor_digest(tensors)))
