"""Prompt and negative prompt brought to one length, by webui's two ways."""

import pytest
import torch
from torch import Tensor

from inference.conditioning.encoding import Encoding
from inference.conditioning.padding import padded
from inference.conditioning.timeline import Guide, Timeline

EMPTY = Encoding(torch.full((1, 2, 1), 9.0))


def timeline(*tokens: float) -> Timeline:
    return Timeline.fixed(Encoding(torch.tensor(tokens)[None, :, None], pooled=torch.ones(1, 1)))


def tokens(timeline: Timeline) -> list[float]:
    said: Tensor = timeline.at(0).tokens
    return said.flatten().tolist()


@pytest.mark.parametrize(
    ("how", "prompt", "negative", "expected"),
    [
        ("empty", (1, 2), (3, 4), ([1, 2], [3, 4])),
        ("empty", (1, 2, 3, 4), (5, 6), ([1, 2, 3, 4], [5, 6, 9, 9])),
        ("empty", (1, 2), (3, 4, 5, 6), ([1, 2, 9, 9], [3, 4, 5, 6])),
        ("repeat", (1, 2, 3, 4), (5, 6), ([1, 2, 3, 4], [5, 6, 6, 6])),
        ("repeat", (1, 2), (3, 4, 5, 6), ([1, 2], [3, 4])),
    ],
)
def test_the_shorter_is_filled_or_the_negative_one_fitted(
    how: str, prompt: tuple[float, ...], negative: tuple[float, ...], expected: tuple[list[float], list[float]]
) -> None:
    (guide,), other = padded([Guide(timeline(*prompt), 0.5)], timeline(*negative), EMPTY, how)  # type: ignore[arg-type]

    assert (tokens(guide.timeline), tokens(other)) == expected
    assert guide.weight == 0.5
    assert other.at(0).pooled is not None


def test_parts_of_a_prompt_come_to_one_length_first_by_their_last_vector() -> None:
    guides = [Guide(timeline(1, 2), 1.0), Guide(timeline(3, 4, 5, 6), 1.0)]

    said, negative = padded(guides, timeline(*[7] * 6), EMPTY, "empty")

    assert [tokens(guide.timeline) for guide in said] == [[1, 2, 2, 2, 9, 9], [3, 4, 5, 6, 9, 9]]
    assert tokens(negative) == [7] * 6
