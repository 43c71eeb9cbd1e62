"""DoRA: norms learned apart from directions (Liu et al. 2024, https://arxiv.org/abs/2402.09353)."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from trainers.methods._lora.factors import Apply, Factors, Kept

__all__ = ["Decomposed"]


class Decomposed(nn.Module):
    """``W' = m * V / |V|`` with V = W + what the inner factors add; one norm a row, as peft and LyCORIS write it."""

    inner: Factors

    def __init__(self, inner: nn.Module, weight: Tensor) -> None:
        super().__init__()
        self.inner = inner  # type: ignore[assignment]
        norms = torch.linalg.vector_norm(weight.detach().float().flatten(1), dim=1)
        self.magnitude = nn.Parameter(norms.view(-1, *[1] * (weight.ndim - 1)))

    @property
    def alpha(self) -> float:
        return self.inner.alpha

    @property
    def ranks(self) -> int:
        return self.inner.ranks

    @property
    def kept(self) -> Kept:
        return self.inner.kept

    @kept.setter
    def kept(self, kept: Kept) -> None:
        self.inner.kept = kept

    def answer(self, x: Tensor, weight: Tensor, bias: Tensor | None, apply: Apply) -> Tensor:
        given = self.inner.answer(x, weight, None, apply)
        side = (-1, 1, 1) if weight.ndim == 4 else (-1,)
        share = self._share(weight).view(side).to(given.dtype)
        return given * share if bias is None else torch.addcmul(bias.view(side), given, share)

    def delta(self, weight: Tensor) -> Tensor:
        changed = weight.float() + self.inner.delta(weight)
        return changed * self._share(weight) - weight.float()

    def entries(self) -> Mapping[str, Tensor]:
        return {**self.inner.entries(), "dora_scale": self.magnitude}

    def multiplied(self) -> Sequence[nn.Parameter]:
        return self.inner.multiplied()

    def _share(self, weight: Tensor) -> Tensor:
        """m / |V|, the norm taken as a constant on the way back (section 4.3 of the paper)."""
        with torch.no_grad():
            changed = (weight.float() + self.inner.delta(weight)).flatten(1)
            norm = torch.linalg.vector_norm(changed, dim=1) + torch.finfo(torch.float32).eps
        share: Tensor = self.magnitude / norm.view_as(self.magnitude)
        return share
