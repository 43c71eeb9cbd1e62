"""Prompt and negative prompt of one length, where a user wants that (webui: pad_cond_uncond); it changes pictures."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal

import torch
from torch import Tensor

from inference.conditioning.encoding import Encoding
from inference.conditioning.timeline import Guide, Timeline

__all__ = ["padded"]


def padded(
    guides: Sequence[Guide], negative: Timeline, empty: Encoding, how: Literal["empty", "repeat"]
) -> tuple[tuple[Guide, ...], Timeline]:
    """Both of one length, so that one run of the model answers both.

    "empty" fills the shorter up with the chunk of an empty prompt; "repeat" fits the negative prompt to the other, by
    repeating its last vector or by cutting it off.
    """
    longest = max(_length(guide.timeline) for guide in guides)
    if how == "repeat":
        return tuple(guides), _each(negative, lambda tokens: _repeated(tokens[:, :longest], longest))
    length = max(longest, _length(negative))
    # parts of a prompt are first brought to one length among themselves
    said = (
        _each(guide.timeline, lambda tokens: _filled(_repeated(tokens, longest), length, empty)) for guide in guides
    )
    return tuple(replace(guide, timeline=one) for guide, one in zip(guides, said, strict=True)), _each(
        negative, lambda tokens: _filled(tokens, length, empty)
    )


def _length(timeline: Timeline) -> int:
    """Tokens of its encodings: a prompt's are all of one length."""
    return timeline.encodings[0].tokens.shape[1]


def _each(timeline: Timeline, change: Callable[[Tensor], Tensor]) -> Timeline:
    return replace(timeline, encodings=tuple(replace(one, tokens=change(one.tokens)) for one in timeline.encodings))


def _repeated(tokens: Tensor, length: int) -> Tensor:
    return torch.cat([tokens, tokens[:, -1:].expand(-1, length - tokens.shape[1], -1)], dim=1)


def _filled(tokens: Tensor, length: int, empty: Encoding) -> Tensor:
    missing = length - tokens.shape[1]
    return torch.cat([tokens, *[empty.tokens] * (missing // empty.tokens.shape[1])], dim=1)
