"""Which of several measured cells is best, and why (pure)."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean, stdev

from modelhub.errors import BadValue

__all__ = ["Cell", "Verdict", "judged"]

_LEAST_GAIN = 0.005
"""Of likeness: what is less is chance."""
_CLEARLY = 0.9
"""Share of the base's own pictures that are less alike, where something shows clearly."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One copy of a training at one strength, and what was measured of it."""

    step: int
    strength: float
    likeness: float
    """Mean over the pictures that were drawn, to those that it learned from."""
    percentile: float
    """Share of the base's own pictures of the same prompts that are less alike, 0 to 1."""
    drift: float
    """How much it changes pictures of other things; 1 is as much as another seed."""
    losses: tuple[float, ...] = ()
    """Of the held-out pictures at fixed pairs of noise and timestep; none where none were held out."""

    @property
    def loss(self) -> float | None:
        """Their mean."""
        return mean(self.losses) if self.losses else None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The cell that is recommended."""

    cell: Cell
    reason: str


def judged(cells: Sequence[Cell], *, most_drift: float = 0.5) -> Verdict:
    """Of the copies that know held-out pictures as well as the best one, the strength that is most alike.

    Those that change other things too much are left out; where all do, it is the one that does so least, of those
    that are clearly alike. A strength is not chosen by its loss, which is nearly always least where the training
    had it; but where several are as alike, that decides, then the weaker, then the earlier.
    """
    if not cells:
        raise BadValue("nothing was measured", mend="modelhub train show RUN tells what copies there are")
    sound = _of_the_best_copies(cells)
    calm = [one for one in sound if one.drift <= most_drift] or [_calmest(sound)]
    top = max(one.likeness for one in calm)
    alike = [one for one in calm if one.likeness >= top - _LEAST_GAIN]
    best = min(alike, key=lambda one: (one.loss or 0.0, one.strength, one.step))
    return Verdict(best, _reason(best, cells, most_drift))


def _calmest(cells: Sequence[Cell]) -> Cell:
    """Of those that show what was learned, where any do."""
    clear = [one for one in cells if one.percentile >= _CLEARLY]
    return min(clear or cells, key=lambda one: one.drift)


def _of_the_best_copies(cells: Sequence[Cell]) -> list[Cell]:
    """All strengths of the copies whose least held-out loss is the least of all, but for chance.

    "But for chance": the mean difference from the best, pair by pair, is at most one standard error.
    """
    by_loss = sorted((one for one in cells if one.loss is not None), key=lambda one: one.loss or 0.0, reverse=True)
    least = {one.step: one for one in by_loss}
    if not least:
        return list(cells)
    good = {step for step, one in least.items() if _gap(one, by_loss[-1]) <= 0.0}
    return [one for one in cells if one.step in good]


def _gap(one: Cell, best: Cell) -> float:
    """By how much its mean difference from the best exceeds one standard error."""
    differences = [ours - theirs for ours, theirs in zip(one.losses, best.losses, strict=True)]
    error = stdev(differences) / len(differences) ** 0.5 if len(differences) > 1 else 0.0
    return mean(differences) - error


def _reason(best: Cell, cells: Sequence[Cell], most_drift: float) -> str:
    most = max(one.likeness for one in cells)
    told = [f"likeness {best.likeness:.3f} (most: {most:.3f}), above {best.percentile:.0%} of the base's own pictures"]
    if best.loss is not None:
        least = min(one.loss for one in cells if one.loss is not None)
        told.append(f"held-out loss {best.loss:.4f} (least: {least:.4f})")
    bound = (
        f"the bound is {most_drift:g}" if best.drift <= most_drift else f"above the bound of {most_drift:g}, all are"
    )
    told.append(f"unrelated pictures change {best.drift:.2f} of what another seed changes ({bound})")
    return "; ".join(told)
