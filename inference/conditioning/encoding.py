"""What a text says to a UNet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

__all__ = ["Encoding", "of_one_length", "stacked"]


@dataclass(frozen=True, slots=True, eq=False)
class Encoding:
    """One text's, or one a row; what a family does not use is None."""

    tokens: Tensor
    """[1 or B, tokens, width]: what the cross-attention reads."""
    pooled: Tensor | None = None
    """[1 or B, width]: the text as a whole (SDXL)."""
    sizes: Tensor | None = None
    """[1 or B, 5 or 6]: the picture's sizes and crops, or the refiner's aesthetic score (SDXL)."""

    @property
    def nbytes(self) -> int:
        """Of its tensors."""
        return sum(one.nbytes for one in (self.tokens, self.pooled, self.sizes) if one is not None)

    def rows(self, count: int) -> Encoding:
        """The same for `count` images."""
        return Encoding(
            self.tokens.expand(count, -1, -1),
            None if self.pooled is None else self.pooled.expand(count, -1),
            None if self.sizes is None else self.sizes.expand(count, -1),
        )


def stacked(encodings: Sequence[Encoding]) -> Encoding:
    """The rows of several, one after the other; all are of one length and of one family."""
    return Encoding(
        torch.cat([one.tokens for one in encodings]),
        _joined([one.pooled for one in encodings]),
        _joined([one.sizes for one in encodings]),
    )


def of_one_length(encodings: Sequence[Encoding]) -> list[Encoding]:
    """Those of several prompts, the shorter ones with their last vector repeated, as webui does for AND."""
    longest = max(one.tokens.shape[1] for one in encodings)
    return [replace(one, tokens=_lengthened(one.tokens, longest - one.tokens.shape[1])) for one in encodings]


def _lengthened(tokens: Tensor, missing: int) -> Tensor:
    return torch.cat([tokens, tokens[:, -1:].expand(-1, missing, -1)], dim=1) if missing else tokens


def _joined(parts: Sequence[Tensor | None]) -> Tensor | None:
    there = [part for part in parts if part is not None]
    return torch.cat(there) if there else None
