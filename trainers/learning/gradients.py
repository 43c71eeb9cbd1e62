"""The gradients of one step, whatever it takes at once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from modelhub.jobs import Notice
from trainers.chance import generator
from trainers.framing.buckets import Step
from trainers.learning.batch import Batches, Piece
from trainers.learning.forward import Forward
from trainers.learning.processes import Processes, cut

__all__ = ["Gradients"]


@dataclass(eq=False)
class Gradients:
    """Cuts a step into pieces that fit into memory; their gradients add up to the step's."""

    forward: Forward
    batches: Batches
    processes: Processes
    scaler: torch.amp.GradScaler
    at_once: int
    """Samples of a piece at most; 0 for all of a batch. Halved when memory runs out."""
    notices: list[Notice] = field(default_factory=list)
    """What there is to say of it."""

    def compute(self, step: Step, epoch: int, number: int, parameters: Sequence[nn.Parameter]) -> Tensor:
        """Set the parameters' gradients to those of the mean of all samples' losses, which is given back, []."""
        total = self._fitting(lambda: self.pieces(step, epoch, number), sum(map(len, step)), parameters)
        self.processes.sum([total, *(one.grad for one in parameters if one.grad is not None)])
        return total

    def pieces(self, step: Step, epoch: int, number: int) -> list[Piece]:
        """What this process computes of a step, one after the other."""
        return self.processes.share(step, epoch=epoch, number=number, at_once=self.at_once)

    def rehearse(self, piece: Piece, parameters: Sequence[nn.Parameter]) -> None:
        """Compute one piece in this process alone, and leave no gradients."""
        items = list(piece.items)

        def pieces() -> list[Piece]:
            return cut([items], range(len(items)), epoch=piece.epoch, number=piece.step, at_once=self.at_once)

        self._fitting(pieces, len(items), parameters)
        for one in parameters:
            one.grad = None

    def _fitting(
        self, pieces: Callable[[], Sequence[Piece]], size: int, parameters: Sequence[nn.Parameter]
    ) -> Tensor:  # fmt: skip
        """Add up what is cut anew, smaller, as often as memory runs out."""
        while True:
            tried = pieces()
            try:
                return self._added_up(tried, size, parameters)
            except torch.OutOfMemoryError:
                largest = max(len(piece.items) for piece in tried)
                if largest == 1:
                    raise
            self._take_less(largest, tried[0].step)

    def _added_up(self, pieces: Sequence[Piece], size: int, parameters: Sequence[nn.Parameter]) -> Tensor:
        """What is learned from nothing has a gradient of 0, so that a step moves the same parameters everywhere."""
        for one in parameters:
            one.grad = None
        total = torch.zeros((), device=self.processes.device)
        for piece in pieces:
            loss = self._loss(piece) / size
            total += loss.detach()
            if loss.requires_grad:
                self.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
        for one in parameters:
            one.grad = torch.zeros_like(one) if one.grad is None else one.grad
        return total

    def _loss(self, piece: Piece) -> Tensor:
        """Of all its samples; what modules draw by lot depends on the step alone too."""
        torch.manual_seed(generator(self.batches.recipe.seed, piece.step, piece.place, "modules").initial_seed())
        return self.forward(self.batches(piece)).sum()

    def _take_less(self, largest: int, number: int) -> None:
        self.at_once = -(-largest // 2)
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        self.notices.append(
            Notice(
                f"memory ran out at step {number + 1} with {largest} pictures at once: from here on it is "
                f"{self.at_once}, and as many a step as before"
            )
        )
