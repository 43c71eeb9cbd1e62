"""The UNet as the function that samplers call: (x, sigma) -> x0, with classifier-free guidance."""

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from inference.conditioning.timeline import Guide, Timeline, of_one_length
from inference.schedules import SigmaTable
from modelhub.errors import BadValue

__all__ = ["PREDICTIONS", "Denoiser"]


def _from_epsilon(x: Tensor, output: Tensor, sigma: float) -> Tensor:
    """The model predicts the noise: x0 = x - sigma * eps."""
    return x - output * sigma


def _from_v(x: Tensor, output: Tensor, sigma: float) -> Tensor:
    """The model predicts v = sqrt(abar) eps - sqrt(1 - abar) x0 (Salimans and Ho 2022)."""
    spread = math.hypot(sigma, 1.0)
    return x / spread**2 - output * (sigma / spread)


PREDICTIONS: Mapping[str, Callable[[Tensor, Tensor, float], Tensor]] = {"epsilon": _from_epsilon, "v": _from_v}
"""Prediction type -> (x, model output, sigma) -> x0."""


@dataclass(frozen=True, slots=True)
class Denoiser:
    """One batch's denoiser; it counts its calls, since prompts may change from one to the next.

    A call runs the UNet once, on the images with and without the prompt together; encodings of another length than
    the negative prompt's take a second run, as in webui, for padding them would change the picture.
    """

    unet: nn.Module
    table: SigmaTable
    prediction: str
    cond: Tensor | Sequence[Guide]
    """The prompts that are followed at once; or one that never changes: its encodings, [1 or B, tokens, width]."""
    uncond: Tensor | Timeline
    """The negative prompt, or its encodings."""
    guidance: float
    """CFG scale; where it comes to 1 the negative prompt has no part in the result, and is not evaluated."""
    _calls: Iterator[int] = field(default_factory=itertools.count, init=False, repr=False)

    def __post_init__(self) -> None:
        if self.prediction not in PREDICTIONS:
            raise BadValue(f"{self.prediction!r} is no prediction type ({', '.join(PREDICTIONS)})")

    @torch.inference_mode()
    def __call__(self, x: Tensor, sigma: float) -> Tensor:
        if sum(self._scales) != 1.0:
            return self.apart(x, sigma)[0]
        return _weighted(self._together(x, sigma, self._prompts(next(self._calls))), self._scales)

    @torch.inference_mode()
    def apart(self, x: Tensor, sigma: float) -> tuple[Tensor, Tensor]:
        """The guess, and that of the negative prompt alone; one call."""
        call = next(self._calls)
        negative = self.uncond if isinstance(self.uncond, Tensor) else self.uncond.at(call)
        without, *guesses = self._guesses(x, sigma, [negative, *self._prompts(call)])
        return without + _weighted([guess - without for guess in guesses], self._scales), without

    @property
    def _guides(self) -> Sequence[Guide]:
        return (Guide(Timeline.fixed(self.cond), 1.0),) if isinstance(self.cond, Tensor) else self.cond

    @property
    def _scales(self) -> list[float]:
        return [guide.weight * self.guidance for guide in self._guides]

    def _prompts(self, call: int) -> list[Tensor]:
        return of_one_length([guide.timeline.at(call) for guide in self._guides])

    def _guesses(self, x: Tensor, sigma: float, contexts: Sequence[Tensor]) -> list[Tensor]:
        """x0 under each context: all in one run where they are of one length, else the first one apart."""
        if contexts[0].shape[1] != contexts[-1].shape[1]:
            return [*self._together(x, sigma, contexts[:1]), *self._together(x, sigma, contexts[1:])]
        return self._together(x, sigma, contexts)

    def _together(self, x: Tensor, sigma: float, contexts: Sequence[Tensor]) -> list[Tensor]:
        """x0 under each context, which are of one length, from one run of the UNet."""
        rows = torch.cat([context.expand(len(x), -1, -1) for context in contexts])
        return list(self._predict(x.repeat(len(contexts), 1, 1, 1), sigma, rows).chunk(len(contexts)))

    def _predict(self, x: Tensor, sigma: float, context: Tensor) -> Tensor:
        scaled = (x / math.hypot(sigma, 1.0)).to(context.dtype)
        timestep = torch.full((len(x),), self.table.timestep(sigma), device=x.device)
        output = self.unet(scaled, timestep, context, return_dict=False)[0]
        return PREDICTIONS[self.prediction](x, output.float(), sigma)


def _weighted(ones: Sequence[Tensor], scales: Sequence[float]) -> Tensor:
    total = ones[0] * scales[0]
    for one, scale in zip(ones[1:], scales[1:], strict=True):
        total = total + one * scale
    return total
