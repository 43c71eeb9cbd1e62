"""A base's text encoders side by side, read as `generate` reads them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from inference.conditioning.clip import Clip
from inference.conditioning.encoders import clips
from inference.conditioning.encoding import Encoding
from inference.conditioning.reading import Read, Reading
from inference.plan import ModelPlan
from inference.prompt.chunks import Chunk
from inference.weights.parts import TEXT_ENCODER_2

__all__ = ["TextEncoders", "text_encoders"]


@dataclass(frozen=True, slots=True)
class TextEncoders:
    """A family's text encoders, side by side."""

    by_role: Mapping[str, Clip]

    @property
    def device(self) -> torch.device:
        return next(next(iter(self.by_role.values())).module.parameters()).device

    def encode(self, texts: Sequence[Sequence[Chunk]], reading: Reading) -> Encoding:
        """Texts of equally many chunks, a row each; the large one of two speaks for texts as a whole."""
        states, pooled = [], None
        for role, clip in self.by_role.items():
            if role == TEXT_ENCODER_2:
                one, pooled = clip.states_and_pooled(texts)
            else:
                one = clip.states(texts)
            states.append(_weighted(one, texts, reading))
        return Encoding(torch.cat(states, dim=-1).flatten(1, 2), pooled)


def text_encoders(
    plan: ModelPlan, models: Mapping[str, nn.Module], words: Mapping[str, Mapping[str, Tensor]], clip_skip: int
) -> TextEncoders:
    """SDXL's two, or the only one of others; `words` are new ones, by role."""
    return TextEncoders(clips(plan, models, lambda role: words.get(role, {}), clip_skip))


def _weighted(states: Tensor, texts: Sequence[Sequence[Chunk]], reading: Reading) -> Tensor:
    """By each text's own weights: captions that meet in a batch do not move one another."""
    rows = zip(torch.split(states, 1), texts, strict=True)
    return torch.cat([Read([text], [0], reading.emphasis).weighted(row) for row, text in rows])
