"""A model as the function that samplers call: (x, sigma) -> x0, with classifier-free guidance."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from inference.conditioning.encoding import Encoding, of_one_length, stacked
from inference.conditioning.timeline import Guide, Timeline
from inference.model import Asked, Model

__all__ = ["Denoiser"]


@dataclass(frozen=True, slots=True)
class Denoiser:
    """One batch's denoiser; it counts its calls, since prompts may change from one to the next.

    A call runs the UNet once, on the images with and without the prompt together; encodings of another length than
    the negative prompt's take a second run, as in webui, for padding them would change the picture.
    """

    model: Model
    guides: Sequence[Guide]
    """The prompts that are followed at once."""
    negative: Timeline
    guidance: float
    """CFG scale; where it comes to 1 the negative prompt has no part in the result, and is not evaluated."""
    beside: Tensor | None = None
    """[1 or B, C', h, w]: channels that the model sees beside the latents."""
    _calls: Iterator[int] = field(default_factory=itertools.count, init=False, repr=False)

    @torch.inference_mode()
    def __call__(self, x: Tensor, sigma: float) -> Tensor:
        if sum(self._scales) != 1.0:
            return self.apart(x, sigma)[0]
        call = next(self._calls)
        return _weighted(self._together(x, sigma, call, self._prompts(call)), self._scales)

    @torch.inference_mode()
    def apart(self, x: Tensor, sigma: float) -> tuple[Tensor, Tensor]:
        """The guess, and that of the negative prompt alone; one call."""
        call = next(self._calls)
        without, *guesses = self._guesses(x, sigma, call, self.negative.at(call), self._prompts(call))
        return without + _weighted([guess - without for guess in guesses], self._scales), without

    @property
    def _scales(self) -> list[float]:
        return [guide.weight * self.guidance for guide in self.guides]

    def _prompts(self, call: int) -> list[Encoding]:
        return of_one_length([guide.timeline.at(call) for guide in self.guides])

    def _guesses(
        self, x: Tensor, sigma: float, call: int, negative: Encoding, prompts: Sequence[Encoding]
    ) -> list[Tensor]:
        """x0 under the negative prompt and each other: in one run where they are of one length."""
        if negative.tokens.shape[1] == prompts[0].tokens.shape[1]:
            return self._together(x, sigma, call, [negative, *prompts], negative=True)
        alone = self._together(x, sigma, call, [negative], negative=True)
        return [*alone, *self._together(x, sigma, call, prompts)]

    def _together(
        self, x: Tensor, sigma: float, call: int, said: Sequence[Encoding], *, negative: bool = False
    ) -> list[Tensor]:
        """x0 under each encoding, from one run of the model; `negative` says that the first is the negative prompt."""
        asked = Asked(
            x.repeat(len(said), 1, 1, 1),
            sigma,
            stacked([one.rows(len(x)) for one in said]),
            call,
            negative=len(x) if negative else 0,
            beside=self.beside,
        )
        return list(self.model(asked).chunk(len(said)))


def _weighted(ones: Sequence[Tensor], scales: Sequence[float]) -> Tensor:
    total = ones[0] * scales[0]
    for one, scale in zip(ones[1:], scales[1:], strict=True):
        total = total + one * scale
    return total
