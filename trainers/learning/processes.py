"""The processes that train together, one a device: each computes its share of every step."""

from collections.abc import Sequence

import torch
from accelerate import Accelerator
from accelerate.utils import broadcast_object_list
from torch import Tensor

from trainers.framing.buckets import Step
from trainers.learning.batch import Piece

__all__ = ["Processes", "cut"]


class Processes:
    """This process among those that `accelerate launch` began; alone, where it began none."""

    def __init__(self, device: torch.device) -> None:
        self._accelerator = Accelerator(cpu=device.type == "cpu", mixed_precision="no")

    @property
    def is_main(self) -> bool:
        """Whether it is the one that writes."""
        return bool(self._accelerator.is_main_process)

    @property
    def count(self) -> int:
        return int(self._accelerator.num_processes)

    @property
    def device(self) -> torch.device:
        device: torch.device = self._accelerator.device
        return device

    def share(self, step: Step, *, epoch: int, number: int, at_once: int) -> list[Piece]:
        """What of a step is computed here; the shares of all processes differ by one sample at most."""
        size, rank = sum(map(len, step)), int(self._accelerator.process_index)
        within = range(size * rank // self.count, size * (rank + 1) // self.count)
        return cut(step, within, epoch=epoch, number=number, at_once=at_once)

    def sum(self, tensors: Sequence[Tensor]) -> None:
        """Add up, in place, what all processes have."""
        if self.count > 1:
            flat = torch.cat([one.flatten() for one in tensors])
            total = self._accelerator.reduce(flat, "sum")
            parts = total.split([one.numel() for one in tensors])
            for one, part in zip(tensors, parts, strict=True):
                one.copy_(part.view_as(one))

    def wait(self) -> None:
        """Until all others are here too."""
        self._accelerator.wait_for_everyone()

    def agree(self, number: int = 0) -> int:
        """What the main process says; the others hear it, and wait for it if they must."""
        said: list[int] = broadcast_object_list([number])
        return said[0]


def cut(step: Step, within: range, *, epoch: int, number: int, at_once: int) -> list[Piece]:
    """The places `within` a step, in pieces of one bucket and of at most `at_once` samples (0: as many as there are).

    >>> [piece.items for piece in cut([[7, 8, 9], [4]], range(1, 4), epoch=0, number=0, at_once=2)]
    [[8, 9], [4]]
    """
    pieces, place = [], 0
    for batch in step:
        first, end = max(place, within.start), min(place + len(batch), within.stop)
        for start in range(first, end, at_once or len(batch)):
            last = min(end, start + (at_once or len(batch)))
            pieces.append(Piece(batch[start - place : last - place], epoch, number, start))
        place += len(batch)
    return pieces
