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

_REMEMBERED = 8
"""Sets of encodings that are said in turn, where prompts alternate."""


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
    unguided_below: float = 0.0
    """Below this sigma every other call does without the negative prompt (webui: NGMS)."""
    calls: Iterator[int] = field(default_factory=itertools.count, repr=False)
    """Numbers of its calls to come; shared by those that take one another's place."""
    _said: dict[tuple[int, ...], Encoding] = field(default_factory=dict, init=False, repr=False)
    """What was said at once, by the encodings and the number of images: one tensor for as long as it is said."""

    def __call__(self, x: Tensor, sigma: float) -> Tensor:
        if sum(self._scales) != 1.0:
            return self.apart(x, sigma)[0]
        call = next(self.calls)
        return _weighted(self._together(x, sigma, call, self._prompts(call)), self._scales)

    def apart(self, x: Tensor, sigma: float) -> tuple[Tensor, Tensor]:
        """The guess, and that of the negative prompt alone; one call.

        A call that does without the negative prompt takes the first prompt for it, at a CFG scale of 1 (as in webui).
        """
        call = next(self.calls)
        if sigma < self.unguided_below and call % 2:
            first, *others = self._together(x, sigma, call, self._prompts(call))
            return _leaning(first, others, [guide.weight for guide in self.guides[1:]]), first
        without, *guesses = self._guesses(x, sigma, call, self.negative.at(call), self._prompts(call))
        return _leaning(without, guesses, self._scales), without

    @property
    def _scales(self) -> list[float]:
        return [guide.weight * self.guidance for guide in self.guides]

    def _prompts(self, call: int) -> list[Encoding]:
        return [guide.timeline.at(call) for guide in self.guides]

    def _guesses(
        self, x: Tensor, sigma: float, call: int, negative: Encoding, prompts: Sequence[Encoding]
    ) -> list[Tensor]:
        """x0 under the negative prompt and each other: in one run where they are of one length."""
        if negative.tokens.shape[1] == max(one.tokens.shape[1] for one in prompts):
            return self._together(x, sigma, call, [negative, *prompts], negative=True)
        alone = self._together(x, sigma, call, [negative], negative=True)
        return [*alone, *self._together(x, sigma, call, prompts)]

    def _together(
        self, x: Tensor, sigma: float, call: int, said: Sequence[Encoding], *, negative: bool = False
    ) -> list[Tensor]:
        """x0 under each encoding, from one run of the model; `negative` says that the first is the negative prompt."""
        asked = Asked(
            torch.cat([x] * len(said)) if len(said) > 1 else x,
            sigma,
            self._at_once(said, x.shape[0]),
            call,
            negative=x.shape[0] if negative else 0,
            beside=self.beside,
        )
        return list(self.model(asked).chunk(len(said)))

    def _at_once(self, said: Sequence[Encoding], images: int) -> Encoding:
        """Rows of several encodings; the very same object for the same ones, so that models need not read it again."""
        key = (images, *map(id, said))
        if key not in self._said:
            if len(self._said) >= _REMEMBERED:
                del self._said[next(iter(self._said))]
            self._said[key] = stacked([one.rows(images) for one in of_one_length(said)])
        return self._said[key]


def _leaning(base: Tensor, others: Sequence[Tensor], scales: Sequence[float]) -> Tensor:
    """base + sum of scale * (other - base)."""
    if len(others) == 1:
        return base.lerp(others[0], scales[0])
    total = base
    for other, scale in zip(others, scales, strict=True):
        total = total.add(other - base, alpha=scale)
    return total


def _weighted(ones: Sequence[Tensor], scales: Sequence[float]) -> Tensor:
    total = ones[0] * scales[0]
    for one, scale in zip(ones[1:], scales[1:], strict=True):
        total = total + one * scale
    return total
