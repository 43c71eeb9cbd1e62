"""Which pictures are held out of a training to judge it by: chosen by content, so that copies stay together (pure)."""

import hashlib
from collections.abc import Iterator, Sequence

from trainers.dataset.likeness import joined, look_alikes
from trainers.dataset.nouns import Sample

__all__ = ["held_out"]

_FEWEST = 10
"""Different pictures, below which none are held out by share."""


def held_out(samples: Sequence[Sample], share: float) -> frozenset[int]:
    """Indices of the pictures that are not learned from.

    Those that their subsets hold out, but for copies of what is learned; where no subset does, `share` of the
    others. It depends on neither names nor order, and a picture more changes the choice little.
    """
    learned = [index for index, one in enumerate(samples) if not one.subset.regularisation]
    chosen = [index for index in learned if samples[index].subset.held_out]
    groups = _copies(samples, learned)
    if chosen:
        return frozenset(index for group in groups if set(group) <= set(chosen) for index in group)
    if len(groups) < _FEWEST:
        return frozenset()
    return frozenset(_taken(samples, groups, round(share * len(learned))))


def _taken(samples: Sequence[Sample], groups: Sequence[Sequence[int]], count: int) -> Iterator[int]:
    """As many as are wanted, in an order of their digests; groups that would be too many are passed over."""
    for group in sorted(groups, key=lambda one: _place(samples, one)):
        if len(group) <= count:
            count -= len(group)
            yield from group


def _place(samples: Sequence[Sample], group: Sequence[int]) -> str:
    return hashlib.sha256(f"held out/{min(samples[index].sha256 for index in group)}".encode()).hexdigest()


def _copies(samples: Sequence[Sample], indices: Sequence[int]) -> list[list[int]]:
    """Pictures of the same bytes, or that look the same however they are turned, together."""
    firsts: dict[str, int] = {}
    same = [(firsts.setdefault(samples[index].sha256, place), place) for place, index in enumerate(indices)]
    seen = [(place, look) for place, index in enumerate(indices) if (look := samples[index].look)]
    alike = [(seen[pair.left][0], seen[pair.right][0]) for pair in look_alikes([look for _, look in seen])]
    return [[indices[place] for place in group] for group in joined(len(indices), [*same, *alike])]
