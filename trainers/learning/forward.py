"""A batch -> what each sample's answer costs: the same for learning and for judging."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import Tensor, nn

from trainers.learning.batch import Batch
from trainers.material.texts import Texts
from trainers.objective import Objective

__all__ = ["Forward"]

_ONE_CHUNK = 77
"""Tokens of the shortest encoding."""


class Forward:
    """Texts, UNet and objective, one after the other."""

    def __init__(
        self, unet: nn.Module, texts: Texts, objective: Objective, *,
        at_rest: Callable[[], AbstractContextManager[None]], half: torch.dtype | None = None, compiled: bool = False,
    ) -> None:  # fmt: skip
        """`half` is what parameters of full precision are computed in; `at_rest` leaves out what was learned."""
        parameter = next(unet.parameters())
        self._dtype, self._device = parameter.dtype, parameter.device
        self._unet: Callable[..., Any] = torch.compile(unet) if compiled else unet
        self._texts = texts
        self._objective = objective
        self._at_rest = at_rest
        self._half = half if self._dtype == torch.float32 else None

    def __call__(self, batch: Batch) -> Tensor:
        """Losses, [B], times the samples' weights."""
        given = batch.noise if batch.given is None else batch.given
        noised = self._objective.noised(batch.latents, given, batch.timesteps)
        target = None if batch.prior is None else self._target(batch, noised, batch.prior)
        losses = self._objective.losses(
            self._answer(batch, noised), batch.latents, batch.noise, batch.timesteps, masks=batch.masks, target=target
        )
        return losses if batch.weights is None else losses * batch.weights

    def _target(self, batch: Batch, noised: Tensor, prior: Tensor) -> Tensor:
        """The objective's, and for the pictures of a class what the base answers."""
        with torch.no_grad(), self._at_rest():
            base = self._answer(batch, noised).float()
        usual = self._objective.target(batch.latents, batch.noise, batch.timesteps)
        return torch.where(prior[:, None, None, None], base, usual)

    def _answer(self, batch: Batch, noised: Tensor) -> Tensor:
        with torch.autocast(self._device.type, self._half, enabled=self._half is not None):
            said = self._texts.encode(batch.captions)
            added: dict[str, Any] = {}
            if said.pooled is not None:
                added["added_cond_kwargs"] = {"text_embeds": said.pooled.to(self._dtype), "time_ids": batch.sizes}
            if (own := self._own(batch.captions, said.tokens)) is not None:
                added["encoder_attention_mask"] = own
            tokens = said.tokens.to(self._dtype)
            answer = self._unet(noised.to(self._dtype), batch.timesteps, tokens, return_dict=False, **added)
        found: Tensor = answer[0]
        return found

    def _own(self, captions: Sequence[str], tokens: Tensor) -> Tensor | None:
        """Which tokens are a caption's own, [B, tokens]; None where all are.

        So a sample is answered alike whatever stands beside it in a batch, and as a picture's prompt would be.
        """
        if tokens.shape[1] <= _ONE_CHUNK:
            return None
        lengths = [self._texts.tokens(caption) for caption in captions]
        if min(lengths) == tokens.shape[1]:
            return None
        own = torch.arange(tokens.shape[1]) < torch.tensor(lengths)[:, None]
        return own.to(self._device, non_blocking=True)
