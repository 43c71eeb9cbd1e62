"""What a pass draws on: nothing but noise, or latents that are there, and the part of them that may change."""

from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image
from torch import Tensor

from inference.samplers import Denoise

__all__ = ["Canvas"]


def _as_it_is(image: Image.Image, _latents: Tensor, _index: int) -> Image.Image:
    return image


def _unmasked(denoise: Denoise) -> Denoise:
    return denoise


@dataclass(frozen=True, slots=True, eq=False)
class Canvas:
    """One batch's, for one pass: all tensors are on the engine's device, float32."""

    size: tuple[int, int]
    """Width and height of what is drawn, in px."""
    latents: Tensor | None = None
    """[1 or B, C, h, w], scaled: what the noise is laid over; None begins with noise alone."""
    beside: Tensor | None = None
    """[1 or B, C', h, w]: channels that the model sees beside the latents."""
    masked: Callable[[Denoise], Denoise] = _unmasked
    """Wraps a denoiser so that what may not change stays as it is."""
    closed: Callable[[Tensor], Tensor] | None = None
    """Done to the latents after the last step."""
    finished: Callable[[Image.Image, Tensor, int], Image.Image] = _as_it_is
    """Done to each image at the very end, given its latents [C, h, w] and its place in the batch: its colours, its
    place in a larger one."""
