"""What a model is conditioned on while a picture is drawn, call by call."""

from dataclasses import dataclass

from inference.conditioning.encoding import Encoding
from inference.prompt.schedule import Span, span_at

__all__ = ["Guide", "Said", "Timeline"]


@dataclass(frozen=True, slots=True)
class Timeline:
    """The encodings of one prompt's spans."""

    spans: tuple[Span, ...]
    encodings: tuple[Encoding, ...]
    """One a span."""

    @classmethod
    def fixed(cls, encoding: Encoding) -> "Timeline":
        """That of a prompt which never changes."""
        return cls((Span(0, ""),), (encoding,))

    def at(self, call: int) -> Encoding:
        """What holds at the model's call, counted from 0."""
        return self.encodings[span_at(self.spans, call)]


@dataclass(frozen=True, slots=True)
class Guide:
    """One of the prompts that a picture follows at once."""

    timeline: Timeline
    weight: float
    """A multiple of the CFG scale."""


@dataclass(frozen=True, slots=True)
class Said:
    """What prompt and negative prompt come to."""

    guides: tuple[Guide, ...]
    negative: Timeline

    @property
    def nbytes(self) -> int:
        """Of its tensors."""
        timelines = (*(guide.timeline for guide in self.guides), self.negative)
        return sum(encoding.nbytes for timeline in timelines for encoding in timeline.encodings)
