"""Whole prompts -> what holds at which call of the model, by any text encoder."""

from collections.abc import Sequence
from typing import Protocol

from inference.conditioning.encoding import Encoding
from inference.conditioning.timeline import Guide, Timeline
from inference.prompt.composition import split_parts
from inference.prompt.schedule import schedule

__all__ = ["TextEncoder", "guides", "timeline"]


class TextEncoder(Protocol):
    """Texts -> encodings for one family of models."""

    def encode(self, texts: Sequence[str], *, negative: bool = False) -> list[Encoding]:
        """One for each text, all of one length: they belong together, as the spans of one prompt do."""


def guides(encoder: TextEncoder, prompt: str, calls: int, before: int = 0) -> tuple[Guide, ...]:
    """What a prompt asks for over `calls` calls of the model, a guide for each part between its ANDs."""
    return tuple(Guide(timeline(encoder, part.text, calls, before), part.weight) for part in split_parts(prompt))


def timeline(encoder: TextEncoder, prompt: str, calls: int, before: int = 0, *, negative: bool = False) -> Timeline:
    """A prompt's spans with their encodings; AND is a word like any other. `before` is as in `schedule`."""
    spans = schedule(prompt, calls, before)
    return Timeline(spans, tuple(encoder.encode([span.text for span in spans], negative=negative)))
