"""What the steps to come take on this machine: some are computed, and all that they come to is thrown away."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, chain, islice
from statistics import mean
from typing import TypeAlias

import torch
from torch import nn

from inference.weights.parts import UNET
from trainers.learning.batch import Piece
from trainers.learning.loop import Trainer
from trainers.material.material import Material
from trainers.optimizers import optimizer_kind
from trainers.plan import TrainingPlan
from trainers.recipe import Recipe
from trainers.running.estimate import passes
from trainers.running.occupied import occupied
from trainers.running.training import Ready

__all__ = ["Rehearsal", "rehearse"]

_SECONDS = 2.0
"""After which nothing more is tried."""
_SHARE = 0.05
"""Of what is left, no more is tried."""
_FEWEST = 4
"""Pieces that are tried in any case, unless the first takes all the time: it is the one for which all is set up."""
_AHEAD = 200
"""Steps by which those that follow are judged."""
_NUMBERS = 1 << 22
"""Parameters that an update is tried on; more take as much each."""
_UPDATES = 3
"""Of which the quickest counts: in the first, all that an optimizer keeps is made."""
_GRADIENT = 1e-3

_Shape: TypeAlias = tuple[int, tuple[int, int]]
"""So many pictures, of that width and height in pixels."""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What came of it."""

    step: float
    """Seconds of a step."""
    answer: float
    """Seconds in which a picture of the training's resolution goes through the UNet once, and nothing is learned."""
    memory: int
    """Bytes at most: on a GPU of tensors, else of this process."""


def rehearse(
    plan: TrainingPlan, ready: Ready, *, clock: Callable[[], float] = time.perf_counter
) -> Rehearsal | None:  # fmt: skip
    """Try steps that are ahead, the largest piece of them first; None where no step is left.

    Raises `torch.OutOfMemoryError` where a single picture is too much.
    """
    trainer, recipe = ready.trainer, plan.recipe
    if trainer.step == recipe.steps:
        return None
    device = next(ready.models[UNET].parameters()).device
    tries = _Tries(trainer, ready.material, device, clock, recipe.compute.compile)
    with occupied(device) as most:
        _try_some(tries, left=recipe.steps - trainer.step)
        memory = most()
    update = _update([one for group in ready.trainee.groups() for one in group.parameters], recipe, tries)
    steps = _ahead(trainer)
    seconds = sum(map(tries.seconds, chain(*steps)))
    pictures = sum(map(tries.pixels, chain(*steps))) / plan.resolution**2
    kept = 0 if trainer.step else update.kept  # a resumed one has it already
    return Rehearsal(seconds / len(steps) + update.seconds, seconds / pictures / passes(recipe), memory + kept)


@dataclass(slots=True)
class _Times:
    """Seconds of pieces of one shape."""

    first: float
    """While kernels are chosen or compiled, and memory is asked for."""
    later: list[float] = field(default_factory=list)

    @property
    def usual(self) -> float:
        return mean(self.later) if self.later else self.first


@dataclass(frozen=True, slots=True)
class _Tries:
    """Pieces that were tried."""

    trainer: Trainer
    material: Material
    device: torch.device
    clock: Callable[[], float]
    """Seconds."""
    compiled: bool
    times: dict[_Shape, _Times] = field(default_factory=dict)

    @property
    def spent(self) -> float:
        """Seconds, but for compiling, which is not done a second time."""
        return sum(sum(one.later) + (0 if self.compiled else one.first) for one in self.times.values())

    def take(self, piece: Piece) -> None:
        began = self.now()
        self.trainer.rehearse(piece)
        seconds, shape = self.now() - began, self._shape(piece)
        if shape in self.times:
            self.times[shape].later.append(seconds)
        else:
            self.times[shape] = _Times(seconds)

    def seconds(self, piece: Piece) -> float:
        """Of one like it; where none was tried, of the nearest in size, in proportion."""
        shape, pixels = self._shape(piece), self.pixels(piece)
        nearest = min(self.times, key=lambda one: (one != shape, abs(_pixels(one) - pixels)))
        return self.times[nearest].usual * pixels / _pixels(nearest)

    def pixels(self, piece: Piece) -> int:
        return _pixels(self._shape(piece))

    def now(self) -> float:
        """Seconds, once the device has done all that it was told."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        return self.clock()

    def _shape(self, piece: Piece) -> _Shape:
        return len(piece.items), self.material.items[piece.items[0]].placement.bucket


def _try_some(tries: _Tries, *, left: int) -> None:
    """The largest piece, for memory's sake, then those that come first."""
    tries.take(max(chain(*_ahead(tries.trainer)), key=tries.pixels))
    steps = _ahead(tries.trainer)  # cut smaller by now, where memory ran out
    pieces = list(chain(*steps))
    most = max(_FEWEST, int(_SHARE * left * len(pieces) / len(steps)))
    for piece in pieces[: most - 1]:
        if tries.spent > _SECONDS:
            break
        tries.take(piece)


def _ahead(trainer: Trainer) -> list[list[Piece]]:
    return list(islice(trainer.ahead(), _AHEAD))


def _pixels(shape: _Shape) -> int:
    pictures, (width, height) = shape
    return pictures * width * height


@dataclass(frozen=True, slots=True)
class _Update:
    """What an optimizer takes for all that learns."""

    seconds: float
    kept: int
    """Bytes that it keeps between steps."""


def _update(parameters: Sequence[nn.Parameter], recipe: Recipe, tries: _Tries) -> _Update:
    """Tried on copies of the first parameters, whose gradients are made up."""
    kind = optimizer_kind(recipe.optimizer.name)
    copies = [nn.Parameter(one.detach().clone()) for one in _some(parameters)]
    optimizer = kind.make([{"params": copies, "lr": kind.own_rate or recipe.learning_rate}], recipe.optimizer)
    times = []
    for _ in range(_UPDATES):
        began = tries.now()
        for one in copies:
            one.grad = torch.full_like(one, _GRADIENT)
        nn.utils.clip_grad_norm_(copies, recipe.optimizer.max_grad_norm or float("inf"))
        optimizer.step()
        times.append(tries.now() - began)
    kept = [one for state in optimizer.state.values() for one in state.values() if isinstance(one, torch.Tensor)]
    share = sum(one.numel() for one in parameters) / sum(one.numel() for one in copies)
    return _Update(min(times) * share, round(sum(one.nbytes for one in kept) * share))


def _some(parameters: Sequence[nn.Parameter]) -> Sequence[nn.Parameter]:
    """The first ones, up to so many numbers as an update is tried on."""
    totals = accumulate(one.numel() for one in parameters)
    return parameters[: max(1, sum(total <= _NUMBERS for total in totals))]
