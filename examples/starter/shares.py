"""Splits a training step over the cores of a machine that also has other work to do.

PyTorch's own threads meet once an operator, thousands of times a step, and each time all wait for the core that was
busy elsewhere. Here each thread carries its share of the batch through forward and backward alone, and they meet once.
"""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import torch
from torch import Tensor, nn


class Shares:
    """Threads that each work on a share of every batch; one on a GPU, one a core otherwise."""

    def __init__(self, device: str) -> None:
        self.count = 1 if device == "cuda" else os.cpu_count() or 1
        torch.set_num_threads(1)
        self._pool = ThreadPoolExecutor(self.count, initializer=torch.set_num_threads, initargs=(1,))

    def backward(
        self, loss_of: Callable[..., Tensor], batch: Sequence[Tensor], parameters: Sequence[nn.Parameter]
    ) -> float:
        """Set the gradients to those of the batch's mean loss, which is given back.

        `loss_of` takes the batch's tensors, cut along their first axis, which must divide evenly.
        """

        def work(share: int) -> tuple[Tensor, tuple[Tensor, ...]]:
            loss = loss_of(*(tensor[share :: self.count].contiguous() for tensor in batch)) / self.count
            return loss.detach(), torch.autograd.grad(loss, parameters)

        losses, (total, *others) = zip(*self._pool.map(work, range(self.count)), strict=True)
        for gradients in others:
            torch._foreach_add_(total, gradients)
        for parameter, gradient in zip(parameters, total, strict=True):
            parameter.grad = gradient
        return torch.stack(losses).sum().item()
