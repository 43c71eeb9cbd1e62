"""What a model is conditioned on while a picture is drawn, call by call."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from inference.prompt.schedule import Span, span_at

__all__ = ["Guide", "Timeline", "of_one_length"]


@dataclass(frozen=True, slots=True)
class Timeline:
    """The encodings of one prompt's spans."""

    spans: tuple[Span, ...]
    encodings: tuple[Tensor, ...]
    """One a span, [1 or B, tokens, width]."""

    @classmethod
    def fixed(cls, encodings: Tensor) -> "Timeline":
        """That of a prompt which never changes."""
        return cls((Span(0, ""),), (encodings,))

    def at(self, call: int) -> Tensor:
        """What holds at the model's call, counted from 0."""
        return self.encodings[span_at(self.spans, call)]


@dataclass(frozen=True, slots=True)
class Guide:
    """One of the prompts that a picture follows at once."""

    timeline: Timeline
    weight: float
    """A multiple of the CFG scale."""


def of_one_length(encodings: Sequence[Tensor]) -> list[Tensor]:
    """Encodings of several prompts, the shorter ones with their last vector repeated, as webui does for AND."""
    longest = max(one.shape[1] for one in encodings)
    return [_lengthened(one, longest - one.shape[1]) for one in encodings]


def _lengthened(encodings: Tensor, tokens: int) -> Tensor:
    return torch.cat([encodings, encodings[:, -1:].expand(-1, tokens, -1)], dim=1) if tokens else encodings
