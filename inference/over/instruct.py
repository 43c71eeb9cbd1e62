"""Guidance by a prompt and by a picture at once: InstructPix2Pix (Brooks et al. 2023, arXiv 2211.09800)."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor

from inference.conditioning.encoding import Encoding, stacked
from inference.conditioning.timeline import Timeline
from inference.model import Asked, Model

__all__ = ["Instructed"]


@dataclass(frozen=True, slots=True)
class Instructed:
    """One batch's denoiser; it counts its calls, since prompts may change from one to the next."""

    model: Model
    prompt: Timeline
    negative: Timeline
    guidance: float
    """CFG scale."""
    picture_guidance: float
    """How closely the old picture is followed; at 1 `Denoiser` draws the same."""
    beside: Tensor
    """[1 or B, C, h, w]: the old picture's latents."""
    calls: Iterator[int] = field(default_factory=itertools.count, repr=False)
    """Numbers of its calls to come."""

    @torch.inference_mode()
    def __call__(self, x: Tensor, sigma: float) -> Tensor:
        return self.apart(x, sigma)[0]

    @torch.inference_mode()
    def apart(self, x: Tensor, sigma: float) -> tuple[Tensor, Tensor]:
        """D_none + image scale (D_picture - D_none) + scale (D_both - D_picture), and D_none; one call."""
        call = next(self.calls)
        neither, picture, both = self._guesses(x, sigma, call, self.negative.at(call), self.prompt.at(call))
        guess = neither + self.guidance * (both - picture) + self.picture_guidance * (picture - neither)
        return guess, neither

    def _guesses(self, x: Tensor, sigma: float, call: int, negative: Encoding, prompt: Encoding) -> list[Tensor]:
        """x0 under the negative prompt without and with the picture, and under the prompt with it."""
        old = self.beside.expand(len(x), -1, -1, -1)
        none = torch.zeros_like(old)
        if negative.tokens.shape[1] == prompt.tokens.shape[1]:
            return self._together(x, sigma, call, [negative, negative, prompt], [none, old, old])
        unled = self._together(x, sigma, call, [negative, negative], [none, old])
        return [*unled, *self._together(x, sigma, call, [prompt], [old], unsaid=0)]

    def _together(
        self, x: Tensor, sigma: float, call: int, said: list[Encoding], seen: list[Tensor], unsaid: int = 2
    ) -> list[Tensor]:
        """x0 for each pair, from one run of the model; so many of the first are the negative prompt's."""
        asked = Asked(
            x.repeat(len(said), 1, 1, 1),
            sigma,
            stacked([one.rows(len(x)) for one in said]),
            call,
            negative=unsaid * len(x),
            beside=torch.cat(seen),
        )
        return list(self.model(asked).chunk(len(said)))
