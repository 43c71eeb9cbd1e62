"""A VAE that counts what it is shown."""

from types import SimpleNamespace

import torch
from torch import Tensor, nn

__all__ = ["FakeVae"]


class FakeVae(nn.Module):
    """Answers with each cell's mean colour; `room` is how many pictures at once its memory holds."""

    def __init__(self, answer: float = 1.0, *, room: int = 99) -> None:
        super().__init__()
        self.answer = nn.Parameter(torch.tensor(answer))
        self.room = room
        self.seen: list[Tensor] = []

    def encode(self, pixels: Tensor, return_dict: bool) -> tuple[SimpleNamespace]:
        if len(pixels) > self.room:
            raise torch.OutOfMemoryError
        self.seen.append(pixels)
        mean = nn.functional.avg_pool2d(pixels, 8) * self.answer
        return (SimpleNamespace(mean=mean, std=mean.abs()),)
