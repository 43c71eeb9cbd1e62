"""OFT: a weight's rows turned block by block (https://arxiv.org/abs/2306.07280)."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from trainers.methods._lora.factors import WHOLE, Apply, along, beside
from trainers.methods._lora.sizes import side_of_blocks

__all__ = ["Orthogonal"]


class Orthogonal(nn.Module):
    """``R.T @ W`` a block, R = (I + Q)(I - Q)^-1 and Q = B - B.T; B is what learns, [blocks, side, side]."""

    def __init__(self, shape: Sequence[int], side: int, constraint: float) -> None:
        """`side` is the most that a block has of the rows, which blocks must share evenly."""
        super().__init__()
        side = side_of_blocks(shape[0], side)
        self.blocks = nn.Parameter(torch.zeros(shape[0] // side, side, side))
        self.ranks = len(self.blocks)
        self.kept = WHOLE
        self.alpha = constraint
        self._most = constraint * shape[0]

    def answer(self, x: Tensor, weight: Tensor, bias: Tensor | None, apply: Apply) -> Tensor:
        delta = self._delta(weight, self.kept.ranks)
        return beside(x, weight, bias, apply, along(self.kept.inputs, delta, 1))

    def delta(self, weight: Tensor) -> Tensor:
        return self._delta(weight.float(), None)

    def entries(self) -> Mapping[str, Tensor]:
        return {"oft_blocks": self.blocks}

    def multiplied(self) -> Sequence[nn.Parameter]:
        return ()

    def _delta(self, weight: Tensor, kept: Tensor | None) -> Tensor:
        """A block either takes part or not: a rotation cannot be scaled."""
        turn = self._turn()
        if kept is not None:
            turn = turn * kept.sign()[:, None, None]
        rows = weight.view(*turn.shape[:2], -1)
        return (turn.mT.to(weight.dtype) @ rows).view(weight.shape)

    def _turn(self) -> Tensor:
        """R - I."""
        generator = self.blocks - self.blocks.mT
        if self._most:
            norm = torch.linalg.vector_norm(generator) + 1e-8
            generator = generator * (self._most / norm).clamp(max=1)
        identity = torch.eye(self.blocks.shape[-1], device=self.blocks.device)
        # (I + Q)(I - Q)^-1 - I = 2Q (I - Q)^-1, which does not cancel
        turn: Tensor = torch.linalg.solve(identity - generator, 2 * generator, left=False)
        return turn
