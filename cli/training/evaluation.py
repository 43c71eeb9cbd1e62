"""What `modelhub train evaluate` shows."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cli.flags.judging import JudgingFlags
from cli.render import table
from cli.session import Session

if TYPE_CHECKING:
    from trainers.evaluation.evaluate import Evaluation

__all__ = ["evaluate"]


def evaluate(session: Session, run: int, judging: JudgingFlags, device: str | None) -> None:
    """Judge a training's copies, and show figures and verdict; what is wrong with flags or run is told first."""
    judging.numbers()
    with session.open_catalog() as catalog:
        from trainers.beginning import check_judgeable

        check_judgeable(run, catalog)
        from trainers.evaluation.evaluate import evaluate as job_of

        place = session.settings(device=device).device
        found: Evaluation = session.run(job_of(run, judging.judging(), catalog=catalog, device=place))
    session.output.show(found, text=lambda: "\n".join(_told(found)), ids=[found.artifact.id])
    session.output.hint(f'use it: modelhub generate "..." --lora {found.artifact.id}')


def _told(found: "Evaluation") -> Iterator[str]:
    heads = ("", "STEP", "STRENGTH", "LIKENESS", "ABOVE BASE", "DRIFT", "HELD-OUT LOSS")
    rows = [
        (
            "*" if one == found.verdict.cell else "",
            one.step,
            f"{one.strength:g}",
            f"{one.likeness:.3f}",
            f"{one.percentile:.0%}",
            f"{one.drift:.2f}",
            "-" if one.loss is None else f"{one.loss:.4f}",
        )
        for one in found.cells
    ]
    yield table(heads, rows)
    best, artifact = found.verdict.cell, found.artifact
    yield f"best: step {best.step} at {best.strength:g}, which is {artifact.id} {artifact.name}, its weight noted"
    yield f"  {found.verdict.reason}"
    real = "" if found.real_likeness is None else f", the held-out pictures {found.real_likeness:.3f}"
    yield f"  likeness by {found.features}: what the base draws has {found.base_likeness:.3f}{real}"
    yield f"  pictures in {found.sheet}"
