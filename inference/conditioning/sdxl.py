"""What SDXL and its refiner read: one or two text encoders side by side, the text as a whole, the picture's sizes."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from inference.conditioning.clip import Clip
from inference.conditioning.encoding import Encoding
from inference.conditioning.reading import Read, Reading

__all__ = ["LIKED", "DISLIKED", "SdxlEncoder", "Sizes"]

LIKED, DISLIKED = 6.0, 2.5
"""The aesthetic scores that webui gives to prompts and to negative prompts."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """What the UNet is told of the picture beside the text, in px."""

    width: int
    height: int
    aesthetic: bool = False
    """Whether of its beauty, in place of the size that it shall have (refiner)."""

    def row(self, *, negative: bool) -> list[float]:
        """Original height and width, crop from the top and the left, and the target's height and width or a score."""
        original = [float(self.height), float(self.width)]
        score = [DISLIKED if negative else LIKED]
        return [*original, 0.0, 0.0, *(score if self.aesthetic else original)]


class SdxlEncoder:
    """Prompts -> encodings, by OpenCLIP bigG alone or beside CLIP-L."""

    def __init__(self, large: Clip, small: Clip | None, reading: Reading, sizes: Sizes) -> None:
        self._large = large
        self._small = small
        self._reading = reading
        self._sizes = sizes

    @torch.inference_mode()
    def encode(self, texts: Sequence[str], *, negative: bool = False) -> list[Encoding]:
        """Of texts that belong together; an empty negative prompt is zeros, not what an empty text encodes to.

        Weights leave the text as a whole alone, and each encoder keeps a mean of its own.
        """
        read = self._reading.read(texts)
        tokens, pooled = self._encoded(read)
        if negative and not any(texts):
            tokens, pooled = torch.zeros_like(tokens), torch.zeros_like(pooled)
        sizes = torch.tensor([self._sizes.row(negative=negative)], device=tokens.device)
        return [Encoding(tokens[index][None], pooled[index][None], sizes) for index in read.order]

    def _encoded(self, read: Read) -> tuple[Tensor, Tensor]:
        states, pooled = self._large.states_and_pooled(read.chunks)
        tokens = read.weighted(states)
        if self._small:
            tokens = torch.cat([read.weighted(self._small.states(read.chunks)), tokens], dim=-1)
        return tokens.flatten(1, 2), pooled
